#include <ops/text/toml_text.hpp>

#include <ops/text/json_text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace exeat::ops {

std::string toml_text(std::string_view text)
{
    std::string out;
    append_json(out, text);
    // JSON writes a code point beyond U+FFFF as two surrogates; TOML requires the scalar value.
    for (auto at = out.find("\\u"); at != out.npos; at = out.find("\\u", at + 2)) {
        std::size_t slashes = 1;
        while (slashes <= at && out[at - slashes] == '\\') ++slashes;
        if (slashes % 2 == 0 || out.compare(at + 2, 2, "db") != 0) continue;
        const auto high = std::stoul(out.substr(at + 2, 4), nullptr, 16), low = std::stoul(out.substr(at + 8, 4), nullptr, 16);
        out.replace(at, 12, fmt::format("\\U{:08x}", 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
    }
    return out;
}

void add_text(std::string& out, std::string_view key, std::string_view value)
{
    if (!value.empty()) out += fmt::format("{} = {}\n", key, toml_text(value));
}

void add_texts(std::string& out, std::string_view key, const std::vector<std::string>& values)
{
    if (!values.empty()) out += fmt::format("{} = {}\n", key, toml_texts(values));
}

void add_ports(std::string& out, const std::vector<std::uint16_t>& ports)
{
    if (!ports.empty()) out += fmt::format("ports = [{}]\n", fmt::join(ports, ", "));
}

} // namespace exeat::ops
