// The strict text of signed statements: each content has exactly one spelling, and each line ends with a line feed. Pure; any thread.
#pragma once

#include <exeat/rule.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

class statement_lines {
public:
    explicit statement_lines(std::string_view text) : left_{text} {}
    // The rest of the next line after `word` and a space; an empty text when the word is the whole line; no value when the line begins
    // otherwise.
    std::optional<std::string_view> take(std::string_view word);
    bool at_end() noexcept // if not, wrong() names the next line
    {
        looked_at_ = taken_ + 1;
        return left_.empty();
    }
    std::string wrong(std::string_view what) const; // "line 3 must be ..."

private:
    std::string_view left_;
    std::size_t taken_ = 0, looked_at_ = 1;
};

inline constexpr std::size_t digest_digits = 64; // of a SHA-256, in lower-case hexadecimal

// A file by its name, relative to the directory of the list, and the SHA-256 of its bytes.
struct named_file {
    std::string sha256, name;
    bool operator==(const named_file&) const = default;
};

bool is_hexadecimal(std::string_view, std::size_t digits) noexcept;  // lower case
bool is_audience(std::string_view) noexcept;                         // lower-case letters, digits, '-', '_' and '.'
bool is_free_text(std::string_view) noexcept;                        // one line without control characters; may be empty
std::optional<std::uint64_t> read_number(std::string_view) noexcept; // only in its one spelling
std::optional<wall_time> read_moment(std::string_view);              // the same
// "SHA-256 NAME"; the name is relative and in its shortest spelling.
std::optional<named_file> read_named_file(std::string_view);

} // namespace exeat::ops
