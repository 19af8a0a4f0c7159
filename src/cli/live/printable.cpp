#include <cli/live/printable.hpp>

#include <exeat/limits.hpp>
#include <ops/text/json_text.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace exeat::cli::live {

namespace {

// Letters of Latin, Greek, Cyrillic and Armenian, and their punctuation: no combining, wide, invisible or bidirectional characters.
bool narrow(char32_t c) noexcept
{
    struct range {
        char32_t first, last;
    };
    constexpr std::array<range, 9> ranges{{{0xa1, 0xac},
                                           {0xae, 0x2ff},
                                           {0x370, 0x482},
                                           {0x48a, 0x556},
                                           {0x1e00, 0x1eff},
                                           {0x2010, 0x2027},
                                           {0x2030, 0x205e},
                                           {0x20a0, 0x20bf},
                                           {0xfffd, 0xfffd}}};
    return std::any_of(ranges.begin(), ranges.end(), [c](const range& r) { return c >= r.first && c <= r.last; });
}

bool continues(char octet) noexcept { return (static_cast<unsigned char>(octet) & 0xc0) == 0x80; }

// The length in octets of the first `columns` characters.
std::size_t octets_of(std::string_view text, std::size_t columns) noexcept
{
    std::size_t at = 0;
    for (; at < text.size(); ++at)
        if (!continues(text[at]) && columns-- == 0) break;
    return at;
}

void append(std::string& out, std::string_view text, ops::code_point c, charset can)
{
    const auto value = static_cast<std::uint32_t>(c.value);
    if (c.octets == 0) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    else if ((value >= ' ' && value <= '~') || (can == charset::utf8 && narrow(c.value))) out += text.substr(0, c.octets);
    else if (value < 0x80) out += fmt::format("\\x{:02x}", value);
    else if (value < 0x10000) out += fmt::format("\\u{:04x}", value);
    else out += fmt::format("\\U{:08x}", value);
}

} // namespace

std::string printable(std::string_view text, charset can)
{
    std::string out;
    // A character has at most four octets, so the rest could not be shown.
    text = text.substr(0, 4 * (limits::top_text + 1));
    while (!text.empty()) {
        const auto c = ops::first_code_point(text);
        append(out, text, c, can);
        text.remove_prefix(std::max<std::size_t>(c.octets, 1));
    }
    return clipped(std::move(out), limits::top_text);
}

std::size_t width(std::string_view text) noexcept
{
    return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues));
}

std::string clipped(std::string text, std::size_t columns)
{
    if (width(text) <= columns) return text;
    if (columns == 0) return {};
    text.resize(octets_of(text, columns - 1));
    return text + '~';
}

std::string padded(std::string text, std::size_t columns, bool right_aligned)
{
    const auto wide = width(text);
    if (wide < columns) text.insert(right_aligned ? 0 : text.size(), columns - wide, ' ');
    return text;
}

} // namespace exeat::cli::live
