#include <ops/text/toml_mistakes.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr char double_quote = '\x22';
constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view s) noexcept
{
    const auto begin = s.find_first_not_of(blanks);
    return begin == s.npos ? std::string_view{} : s.substr(begin, s.find_last_not_of(blanks) - begin + 1);
}

// Recognizes quotes and comments, and no other syntax.
class quote_reader {
public:
    explicit quote_reader(std::string_view text) : text_{text} {}

    // The place of the next quote that is not closed; line 0: none.
    place next()
    {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '#') at_ = std::min(text_.find('\n', at_), text_.size());
            else if (c == double_quote || c == '\'') {
                if (const auto open = here(); !pass(c)) return open;
            } else if (++at_; c == '\n') ++line_, begin_ = at_;
        }
        return {};
    }

private:
    place here() const noexcept { return {line_, static_cast<std::uint32_t>(at_ - begin_ + 1)}; }

    // Skips a quoted text. False: it is not closed, and reading continues on the next line as if it were.
    bool pass(char quote)
    {
        const std::string three(3, quote);
        if (text_.substr(at_).starts_with(three)) return pass_lines(three);
        for (++at_; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
            if (quote == double_quote && text_[at_] == '\\' && text_.substr(at_ + 1, 1) != "\n") ++at_;
            else if (text_[at_] == quote) return ++at_, true;
        }
        at_ = std::min(at_, text_.size());
        return false;
    }
    bool pass_lines(const std::string& three)
    {
        const auto end = text_.find(three, at_ + 3);
        const auto to = end == text_.npos ? text_.size() : end + 3;
        for (; at_ < to; ++at_)
            if (text_[at_] == '\n') ++line_, begin_ = at_ + 1;
        return end != text_.npos;
    }

    std::string_view text_;
    std::size_t at_ = 0, begin_ = 0; // begin_: start of the line
    std::uint32_t line_ = 1;
};

// The word directly before the first quote of a line: its own opening quote is missing.
std::string_view word_before_quote(std::string_view line) noexcept
{
    const auto quote = line.find(double_quote);
    if (quote == line.npos || quote == 0) return {};
    const auto begin = line.find_last_of(" \t=[,", quote - 1);
    return begin == line.npos ? std::string_view{} : line.substr(begin + 1, quote - begin - 1);
}

} // namespace

std::vector<toml_mistake> unclosed_quotes(std::string_view text, std::size_t most)
{
    std::vector<toml_mistake> out;
    quote_reader quotes{text};
    for (auto at = quotes.next(); at.line != 0 && out.size() < most; at = quotes.next()) {
        const auto line = line_of(text, at.line);
        const char quote = at.column <= line.size() ? line[at.column - 1] : double_quote;
        const bool many = line.substr(std::min<std::size_t>(at.column - 1, line.size())).starts_with(std::string(3, quote));
        if (many) out.push_back({at, fmt::format("the text that begins here with {0}{0}{0} never ends; close it with {0}{0}{0}", quote)});
        else if (const auto word = word_before_quote(line); !word.empty())
            out.push_back({{at.line, static_cast<std::uint32_t>(word.data() - line.data() + 1)},
                           fmt::format("there is no quote in front of {0}; write \"{0}\"", word)});
        else
            out.push_back({at, fmt::format("the text that begins here has no closing quote; write {} behind it, on the same line", quote)});
    }
    return out;
}

std::vector<toml_mistake> single_brackets(std::string& text)
{
    std::vector<toml_mistake> out;
    std::uint32_t number = 0;
    for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
        end = std::min(text.find('\n', begin), text.size());
        ++number;
        const auto line = std::string_view{text}.substr(begin, end - begin);
        const auto header = trimmed(line.substr(0, line.find('#')));
        if (header.size() < 3 || header.front() != '[' || header.back() != ']') continue;
        const auto name = trimmed(header.substr(1, header.size() - 2));
        if (std::find(many_of.begin(), many_of.end(), name) == many_of.end()) continue;
        const auto column = static_cast<std::uint32_t>(header.data() - line.data() + 1);
        out.push_back({{number, column}, fmt::format("'{0}' is a table; write [[{0}]] in double brackets, once for each", name)});
        const auto at = begin + column - 1;
        text.replace(at, header.size(), fmt::format("[[{}]]", name));
        end = std::min(text.find('\n', begin), text.size());
    }
    return out;
}

std::string_view line_of(std::string_view text, std::uint32_t line) noexcept
{
    for (; line > 1 && !text.empty(); --line) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    return text.substr(0, text.find('\n'));
}

std::optional<toml_mistake> open_list(std::string_view text, std::uint32_t before)
{
    constexpr std::uint32_t lines_looked_at = 100;
    for (auto n = before; n-- > 1 && before - n < lines_looked_at;) {
        const auto line = line_of(text, n);
        const auto equals = line.find('=');
        if (equals == line.npos) continue;
        const auto open = line.find('[', equals);
        if (open == line.npos || line.find(']', open) != line.npos) return std::nullopt;
        return toml_mistake{{n, static_cast<std::uint32_t>(open + 1)},
                            "the list that begins here is not closed; write ] behind its last value"};
    }
    return std::nullopt;
}

std::string fix_for_line(std::string_view line)
{
    line = trimmed(line);
    if (line.starts_with('['))
        return line.starts_with("[[") && line.find("]]") == line.npos ? "close it with ]]"
               : line.find(']') == line.npos                          ? "close it with ]"
                                                                      : "";
    const auto equals = line.find('=');
    if (equals == line.npos) return {};
    const auto key = trimmed(line.substr(0, equals)), value = trimmed(line.substr(equals + 1, line.find('#') - equals - 1));
    const bool bare = !value.empty() && value.find_first_of("\"'[]{},") == value.npos;
    if (bare) return fmt::format("write text in quotes: {} = \"{}\"", key, value);
    return {};
}

} // namespace exeat::ops
