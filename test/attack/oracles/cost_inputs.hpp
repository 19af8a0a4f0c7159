// Inputs of a given size, made from their parts.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace exeat::oracles {

// `part` again and again, while the whole stays below `octets`.
inline std::string repeated(std::string_view part, std::size_t octets)
{
    std::string out;
    out.reserve(octets + part.size());
    while (out.size() + part.size() <= octets) out += part;
    return out;
}

// The same with parts that are numbered, `most` at most.
inline std::string numbered(const std::function<std::string(std::size_t)>& part, std::size_t octets, std::size_t most = ~std::size_t{0})
{
    std::string out;
    for (std::size_t n = 0; n < most; ++n) {
        const auto next = part(n);
        if (out.size() + next.size() > octets) break;
        out += next;
    }
    return out;
}

} // namespace exeat::oracles
