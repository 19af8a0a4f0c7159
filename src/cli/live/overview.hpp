// The most important of every view, on one screen. Pure; any thread.
#pragma once

#include <cli/live/draw.hpp>

#include <vector>

namespace exeat::cli::live {

// The table of a view in the order and with the filter that are wanted.
table prepared(view, const picture&, const outlook&);

std::vector<line> overview(const picture&, const outlook&, extent);

} // namespace exeat::cli::live
