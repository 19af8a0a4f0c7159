// A picture as the lines of a screen, or as one page of plain text. Pure: moments are handed in. Any thread.
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
    std::vector<line> lines; // extent::rows at most, none wider than extent::columns
    room space;
    std::size_t first = 0; // the row at the top, which is none beyond the last
};

drawing draw(const picture&, const outlook&, extent, moment now);

// These views, each whole and as wide as it is.
std::string plain_text(const picture&, const outlook&, std::span<const view>);

} // namespace exeat::cli::live
