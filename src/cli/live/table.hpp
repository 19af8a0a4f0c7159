// Rows under headings, fitted to a width: what matters least is left out first. Texts are printable. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::cli::live {

// How it is shown where there are colours; what must be known without them stands in the words.
enum class tone : std::uint8_t { plain, faint, good, warning, critical, title, heading, chosen };

struct piece {
    std::string text;
    tone how = tone::plain;
};
using line = std::vector<piece>;

struct column {
    std::string_view name;    // as --sort takes it
    std::string_view heading; // as it stands on the screen
    bool number = false;      // aligned to the right
    bool most_first = false;  // when one begins to sort by it
    std::uint8_t rank = 0;    // the highest goes first where there is no room; 0 stays
    std::uint8_t least = 0;   // columns that a text may be cut to; 0: it is not cut
};

struct cell {
    std::string text;
    double number = 0; // what it is ordered by; where those are equal, words are by their text
};

struct row {
    std::vector<cell> cells;
    tone how = tone::plain;
};

struct table {
    std::span<const column> columns;
    std::vector<row> rows;
};

struct ordering {
    std::size_t column = 0;
    bool most_first = true;
    bool operator==(const ordering&) const = default;
};

void sort(table&, const ordering&); // rows that are equal stay as they were
// Leaves the rows that have the text in one of their words, whatever its case.
void filter(table&, std::string_view text);

// The headings and the rows from `first` on, `most` of them, none wider than `columns`.
std::vector<line> to_lines(const table&, const ordering&, std::size_t columns, std::size_t first, std::size_t most);

std::size_t width(const line&) noexcept;
std::string to_text(const line&); // without blanks at its end

} // namespace exeat::cli::live
