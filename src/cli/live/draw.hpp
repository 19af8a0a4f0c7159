// A picture as the lines of a screen, or as one page of plain text. Pure: the time is a parameter. Any thread.
#pragma once

#include <cli/live/outlook.hpp>

#include <span>
#include <string>
#include <vector>

namespace exeat::cli::live {

struct extent {
    std::size_t rows = 0, columns = 0;
};

struct drawing {
    std::vector<line> lines; // at most extent::rows, none wider than extent::columns
    room space;
    std::size_t first = 0; // the row at the top, limited so that the last rows fill the screen
};

drawing draw(const picture&, const outlook&, extent, moment now);

// Each view complete and in full width.
std::string plain_text(const picture&, const outlook&, std::span<const view>);

} // namespace exeat::cli::live
