#include <ops/text/international_name.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <idn2.h>
#include <memory>

namespace exeat::ops {

namespace {

struct glyph {
    char32_t letter;
    std::string_view looks_like;
};

// Letters that look like Latin ones in the usual fonts (after Unicode Technical Standard 39, the lower-case letters that IDNA accepts), in
// ascending order. Latin letters with marks are included, because a reader may overlook the mark.
constexpr std::array glyphs{
    glyph{U'à', "a"}, glyph{U'á', "a"}, glyph{U'â', "a"}, glyph{U'ã', "a"}, glyph{U'ä', "a"}, glyph{U'å', "a"}, glyph{U'ç', "c"},
    glyph{U'è', "e"}, glyph{U'é', "e"}, glyph{U'ê', "e"}, glyph{U'ë', "e"}, glyph{U'ì', "i"}, glyph{U'í', "i"}, glyph{U'î', "i"},
    glyph{U'ï', "i"}, glyph{U'ñ', "n"}, glyph{U'ò', "o"}, glyph{U'ó', "o"}, glyph{U'ô', "o"}, glyph{U'õ', "o"}, glyph{U'ö', "o"},
    glyph{U'ø', "o"}, glyph{U'ù', "u"}, glyph{U'ú', "u"}, glyph{U'û', "u"}, glyph{U'ü', "u"}, glyph{U'ý', "y"}, glyph{U'ÿ', "y"},
    glyph{U'ā', "a"}, glyph{U'ă', "a"}, glyph{U'ą', "a"}, glyph{U'ć', "c"}, glyph{U'č', "c"}, glyph{U'ď', "d"}, glyph{U'đ', "d"},
    glyph{U'ē', "e"}, glyph{U'ė', "e"}, glyph{U'ę', "e"}, glyph{U'ě', "e"}, glyph{U'ğ', "g"}, glyph{U'ģ', "g"}, glyph{U'ħ', "h"},
    glyph{U'ī', "i"}, glyph{U'į', "i"}, glyph{U'ı', "i"}, glyph{U'ķ', "k"}, glyph{U'ļ', "l"}, glyph{U'ł', "l"}, glyph{U'ń', "n"},
    glyph{U'ņ', "n"}, glyph{U'ň', "n"}, glyph{U'ō', "o"}, glyph{U'ő', "o"}, glyph{U'ŕ', "r"}, glyph{U'ř', "r"}, glyph{U'ś', "s"},
    glyph{U'ş', "s"}, glyph{U'š', "s"}, glyph{U'ţ', "t"}, glyph{U'ť', "t"}, glyph{U'ŧ', "t"}, glyph{U'ū', "u"}, glyph{U'ů', "u"},
    glyph{U'ű', "u"}, glyph{U'ų', "u"}, glyph{U'ź', "z"}, glyph{U'ż', "z"}, glyph{U'ž', "z"}, glyph{U'ɑ', "a"}, glyph{U'ɡ', "g"},
    glyph{U'ɩ', "i"}, glyph{U'ɪ', "i"}, glyph{U'ʋ', "v"}, glyph{U'ʏ', "y"}, glyph{U'α', "a"}, glyph{U'γ', "y"}, glyph{U'η', "n"},
    glyph{U'ι', "i"}, glyph{U'κ', "k"}, glyph{U'ν', "v"}, glyph{U'ο', "o"}, glyph{U'ρ', "p"}, glyph{U'σ', "o"}, glyph{U'τ', "t"},
    glyph{U'υ', "u"}, glyph{U'χ', "x"}, glyph{U'ω', "w"}, glyph{U'ϳ', "j"}, glyph{U'а', "a"}, glyph{U'в', "b"}, glyph{U'г', "r"},
    glyph{U'е', "e"}, glyph{U'з', "3"}, glyph{U'к', "k"}, glyph{U'м', "m"}, glyph{U'н', "h"}, glyph{U'о', "o"}, glyph{U'п', "n"},
    glyph{U'р', "p"}, glyph{U'с', "c"}, glyph{U'т', "t"}, glyph{U'у', "y"}, glyph{U'х', "x"}, glyph{U'ь', "b"}, glyph{U'ё', "e"},
    glyph{U'ѕ', "s"}, glyph{U'і', "i"}, glyph{U'ї', "i"}, glyph{U'ј', "j"}, glyph{U'ѡ', "w"}, glyph{U'ѵ', "v"}, glyph{U'ү', "y"},
    glyph{U'һ', "h"}, glyph{U'ӏ', "l"}, glyph{U'ԁ', "d"}, glyph{U'ԛ', "q"}, glyph{U'ԝ', "w"}, glyph{U'ս', "u"}, glyph{U'օ', "o"},
};
static_assert(std::is_sorted(glyphs.begin(), glyphs.end(), [](const glyph& a, const glyph& b) { return a.letter < b.letter; }));

const glyph* find(char32_t c) noexcept
{
    const auto* at = std::lower_bound(glyphs.begin(), glyphs.end(), c, [](const glyph& g, char32_t x) { return g.letter < x; });
    return at != glyphs.end() && at->letter == c ? at : nullptr;
}

// Maps ASCII characters that look alike to the same character: l, 1 and i; o and 0.
char eye(char c) noexcept { return c == '1' || c == 'i' ? 'l' : c == '0' ? 'o' : c; }

} // namespace

std::string as_seen(std::u32string_view text)
{
    std::string out;
    for (const auto c : text) {
        if (const auto* g = find(c)) out += eye(g->looks_like.front());
        else if (c < 0x80) out += eye(static_cast<char>(c));
        else out += fmt::format("<{:x}>", static_cast<std::uint32_t>(c)); // has no look-alike
    }
    return out;
}

std::u32string from_a_labels(const std::string& name)
{
    std::uint32_t* decoded = nullptr;
    if (idn2_to_unicode_8z4z(name.c_str(), &decoded, 0) != IDN2_OK) return {};
    const std::unique_ptr<std::uint32_t, void (*)(void*)> keep{decoded, idn2_free};
    std::u32string out;
    for (const auto* c = decoded; *c != 0; ++c) out += static_cast<char32_t>(*c);
    return out;
}

std::string to_a_labels(const std::string& name)
{
    char* encoded = nullptr;
    if (name.find('\0') != name.npos || idn2_to_ascii_8z(name.c_str(), &encoded, IDN2_NONTRANSITIONAL) != IDN2_OK) return {};
    const std::unique_ptr<char, void (*)(void*)> keep{encoded, idn2_free};
    const std::string_view label{encoded};
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'; };
    return std::all_of(label.begin(), label.end(), allowed) ? std::string{label} : std::string{}; // the library accepts control characters
}

std::string foreign_letters(const std::string& name)
{
    constexpr char32_t beyond_latin = 0x250; // Latin letters with marks are not reported
    std::string out;
    for (const auto c : from_a_labels(name))
        if (const auto* g = c < beyond_latin ? nullptr : find(c); g != nullptr && out.size() < 80)
            out += fmt::format("{}U+{:04X} looks like '{}'", out.empty() ? "" : ", ", static_cast<std::uint32_t>(c), g->looks_like);
    return out;
}

} // namespace exeat::ops
