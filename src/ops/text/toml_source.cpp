#include <ops/text/toml_source.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

place at(const toml::source_region& r) noexcept { return {r.begin.line, r.begin.column}; }

namespace {

std::string_view mend_for(std::string_view what) noexcept
{
    if (what.find("redefine") != what.npos) return "keep only one of the two";
    if (what.find("utf-8") != what.npos) return "save the file as UTF-8";
    if (what.find("end-of-file") != what.npos) return "close what was opened here; the file may be cut off";
    if (what.find("expected value") != what.npos) return "write a value, text in quotes";
    return "mend the syntax here or on the line above (toml.io/en/v1.0.0)";
}

// The library repeats what it met, line ends included.
std::string on_one_line(std::string_view what)
{
    std::string out;
    for (const char c : what) {
        if (c >= ' ' && c <= '~') out += c;
        else out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return out;
}

} // namespace

std::optional<toml::table> parse_toml(std::string_view text, findings& wrong)
{
    // The usual trace of a file that was being written when the machine went down.
    if (const auto nul = text.find('\0'); nul != text.npos) {
        const auto line = static_cast<std::uint32_t>(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n'));
        wrong.error({line, 1}, "a NUL octet; the file is damaged or half-written, write it again");
        return std::nullopt;
    }
    try {
        return toml::parse(text);
    } catch (const toml::parse_error& e) { // the library knows no other way to say it
        wrong.error(at(e.source()), fmt::format("{}; {}", on_one_line(e.description()), mend_for(e.description())));
    }
    return std::nullopt;
}

} // namespace exeat::ops
