// Rows under headings, fitted to a width: the least important columns are left out first. Texts are printable. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::cli::live {

// How a piece is shown with colours; what must be clear without colours is in the words.
enum class tone : std::uint8_t { plain, faint, good, warning, critical, title, heading, chosen };

struct piece {
    std::string text;
    tone how = tone::plain;
};
using line = std::vector<piece>;

struct column {
    std::string_view name;    // as --sort takes it
    std::string_view heading; // as shown on the screen
    bool number = false;      // aligned to the right
    bool most_first = false;  // the initial direction when sorting by it
    std::uint8_t rank = 0;    // the highest rank is left out first when there is not enough room; rank 0 stays
    std::uint8_t least = 0;   // the width that a text may be cut to; 0: it is not cut
};

struct cell {
    std::string text;
    double number = 0; // the sort key; words with the same number are sorted by text
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

void sort(table&, const ordering&); // a stable sort
// Keeps the rows that contain the text in one of their words, ignoring case.
void filter(table&, std::string_view text);

// The headings and at most `most` rows from `first` on, none wider than `columns`.
std::vector<line> to_lines(const table&, const ordering&, std::size_t columns, std::size_t first, std::size_t most);

std::size_t width(const line&) noexcept;
std::string to_text(const line&); // without trailing blanks

} // namespace exeat::cli::live
