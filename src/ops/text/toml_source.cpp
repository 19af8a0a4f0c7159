#include <ops/text/toml_source.hpp>

#include <ops/text/toml_mistakes.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <string>

namespace exeat::ops {

place at(const toml::source_region& r) noexcept { return {r.begin.line, r.begin.column}; }

namespace {

std::string_view fix_for(std::string_view what) noexcept
{
    if (what.find("redefine") != what.npos) return "keep only one of the two";
    if (what.find("utf-8") != what.npos) return "save the file as UTF-8";
    if (what.find("end-of-file") != what.npos) return "close what was opened here; the file may be cut off";
    if (what.find("expected value") != what.npos) return "write a value, text in quotes";
    return "fix the syntax here or on the line above (toml.io/en/v1.0.0)";
}

// The library quotes the file's text, including line ends.
std::string on_one_line(std::string_view what)
{
    std::string out;
    for (const char c : what) {
        if (c >= ' ' && c <= '~') out += c;
        else out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return out;
}

bool has(std::string_view text, std::string_view part) noexcept { return text.find(part) != text.npos; }

// Blanks the lines of a mistake and parses again, so that all mistakes are reported at once. Errors that most likely follow from an earlier
// mistake are left out.
class mistaken_toml {
public:
    mistaken_toml(std::string_view text, diagnostics& wrong) : text_{text}, wrong_{wrong} {}

    // Returns a table only if single brackets were the only mistake: after any other mistake a value is missing.
    std::optional<toml::table> read()
    {
        constexpr std::size_t most = 20;
        for (auto& m : single_brackets(text_)) wrong_.error(m.at, std::move(m.text));
        for (auto& m : unclosed_quotes(text_, most)) tell(m.at, m.at.line, std::move(m.text));
        for (std::size_t tries = 0; tries < most; ++tries) {
            try {
                auto tree = toml::parse(text_);
                if (empty_.empty()) return tree;
                return std::nullopt;
            } catch (const toml::parse_error& e) { // the library reports errors only by exceptions
                take(at(e.source()), e.description());
            }
        }
        return std::nullopt;
    }

private:
    void take(place where, std::string_view what)
    {
        if (const auto list = has(what, "parsing array") && !has(what, "end-of-file") ? open_list(text_, where.line) : std::nullopt)
            return tell(list->at, where.line - 1, list->text);
        const bool follows = !empty_.empty() && (empty_.contains(where.line - 1) || empty_.contains(where.line) || has(what, "redefine"));
        const auto fix = follows || has(what, "redefine") || has(what, "utf-8") ? std::string{} : fix_for_line(line_of(text_, where.line));
        if (follows) blank(where.line);
        else tell(where, where.line, fmt::format("{}; {}", on_one_line(what), fix.empty() ? std::string{fix_for(what)} : fix));
    }
    void tell(place where, std::uint32_t to, std::string text)
    {
        wrong_.error(where, std::move(text));
        for (auto line = where.line; line <= std::max(to, where.line); ++line) blank(line);
    }
    void blank(std::uint32_t line)
    {
        empty_.insert(line);
        const auto from = line_of(text_, line);
        const auto begin = static_cast<std::size_t>(from.data() - text_.data());
        std::fill_n(text_.begin() + static_cast<std::ptrdiff_t>(begin), from.size(), ' ');
    }

    std::string text_;
    diagnostics& wrong_;
    std::set<std::uint32_t> empty_; // lines that were blanked
};

// Whether a table that needs double brackets has single ones: valid TOML, but with another meaning.
bool single(const toml::table& tree)
{
    return std::any_of(many_of.begin(), many_of.end(), [&](auto name) { return tree[name].is_table(); });
}

} // namespace

std::optional<toml::table> parse_toml(std::string_view text, diagnostics& wrong)
{
    // The usual result when the machine crashes while the file is being written.
    if (const auto nul = text.find('\0'); nul != text.npos) {
        const auto line = static_cast<std::uint32_t>(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n'));
        wrong.error({line, 1}, "a NUL octet; the file is damaged or half-written, write it again");
        return std::nullopt;
    }
    try {
        auto tree = toml::parse(text);
        if (!single(tree)) return tree;
    } catch (const toml::parse_error&) {} // reported below, together with further mistakes
    return mistaken_toml{text, wrong}.read();
}

} // namespace exeat::ops
