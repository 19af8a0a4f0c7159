// Append the members of a JSON object to a line; `key` includes its comma, quotes and colon. Throw std::bad_alloc; any thread.
#pragma once

#include <ops/text/json_text.hpp>

#include <cstdint>
#include <fmt/format.h>
#include <string>
#include <string_view>

namespace exeat::ops {

inline void number(std::string& out, std::string_view key, std::uint64_t value)
{
    const fmt::format_int digits{value};
    out.append(key);
    out.append(digits.data(), digits.size());
}

inline void word(std::string& out, std::string_view key, std::string_view value) // `value` needs no escaping
{
    out.append(key);
    out.append(value);
    out += '"';
}

inline void text(std::string& out, std::string_view key, std::string_view value)
{
    out.append(key);
    append_json(out, value);
}

} // namespace exeat::ops
