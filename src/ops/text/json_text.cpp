#include <ops/text/json_text.hpp>

#include <array>
#include <cstddef>
#include <fmt/compile.h>
#include <iterator>

namespace exeat::ops {

code_point first_code_point(std::string_view s) noexcept
{
    const auto lead = static_cast<unsigned char>(s[0]);
    if (lead < 0x80) return {lead, 1};
    const std::size_t octets = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || s.size() < octets) return {};
    char32_t value = lead & (0x7fu >> octets);
    for (std::size_t i = 1; i < octets; ++i) {
        const auto next = static_cast<unsigned char>(s[i]);
        if ((next & 0xc0) != 0x80) return {};
        value = value << 6 | (next & 0x3f);
    }
    constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < least[octets] || value > 0x10ffff || surrogate) return {};
    return {value, octets};
}

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd"; // U+FFFD

bool plain(char c) noexcept { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

bool deceptive(char32_t c) noexcept
{
    struct range {
        char32_t first, last;
    };
    constexpr std::array<range, 9> ranges{{{0x7f, 0x9f},
                                           {0xad, 0xad},
                                           {0x61c, 0x61c},
                                           {0x200b, 0x200f},
                                           {0x2028, 0x202e},
                                           {0x2060, 0x206f},
                                           {0xfeff, 0xfeff},
                                           {0xfff9, 0xfffb},
                                           {0xe0000, 0xe007f}}};
    for (const auto& r : ranges)
        if (c >= r.first && c <= r.last) return true;
    return c < 0x20;
}

void append_escape(std::string& out, char32_t c)
{
    if (c >= 0x10000) { // RFC 8259 section 7: a surrogate pair
        append_escape(out, 0xd800 + ((c - 0x10000) >> 10));
        c = 0xdc00 + ((c - 0x10000) & 0x3ff);
    }
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("\\u{:04x}"), static_cast<std::uint32_t>(c));
}

// Beyond \uffff, TOML, C and Python use one escape such as \U000e0001; JSON uses a surrogate pair.
enum class notation : std::uint8_t { json, text };

void append_escape(std::string& out, char32_t c, notation how)
{
    if (how == notation::json || c < 0x10000) return append_escape(out, c);
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("\\U{:08x}"), static_cast<std::uint32_t>(c));
}

std::string without_deception(std::string_view text, notation how, std::string_view kept)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto point = first_code_point(text);
        const auto octets = point.octets == 0 ? 1 : point.octets;
        if (point.octets == 0) out += replacement;
        else if (deceptive(point.value) && kept.find(text[0]) == kept.npos) append_escape(out, point.value, how);
        else out += text.substr(0, octets);
        text.remove_prefix(octets);
    }
    return out;
}

// Appends one character from the front of `text`; returns the number of octets that it took.
std::size_t append_one(std::string& out, std::string_view text)
{
    const char c = text[0];
    if (c == '"' || c == '\\') {
        out += {'\\', c};
        return 1;
    }
    const auto point = first_code_point(text);
    if (point.octets == 0) {
        out += replacement;
        return 1;
    }
    if (deceptive(point.value)) append_escape(out, point.value);
    else out += text.substr(0, point.octets);
    return point.octets;
}

} // namespace

void append_json(std::string& out, std::string_view text)
{
    out += '"';
    while (!text.empty()) {
        std::size_t run = 0;
        while (run < text.size() && plain(text[run])) ++run;
        out.append(text.data(), run);
        text.remove_prefix(run);
        if (!text.empty()) text.remove_prefix(append_one(out, text));
    }
    out += '"';
}

std::string harmless(std::string_view text) { return without_deception(text, notation::text, "\n\t"); }

std::string harmless_json(std::string_view document) { return without_deception(document, notation::json, "\n\t"); }

std::string one_line(std::string_view text) { return without_deception(text, notation::text, ""); }

std::string valid_utf8(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto octets = first_code_point(text).octets;
        out += octets == 0 ? replacement : text.substr(0, octets);
        text.remove_prefix(octets == 0 ? 1 : octets);
    }
    return out;
}

} // namespace exeat::ops
