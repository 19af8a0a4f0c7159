// The most important rows of the views on one screen. Pure; any thread.
#pragma once

#include <cli/live/draw.hpp>

#include <vector>

namespace exeat::cli::live {

// The table of a view, sorted and filtered as the outlook wants.
table prepared(view, const picture&, const outlook&);

std::vector<line> overview(const picture&, const outlook&, extent);

} // namespace exeat::cli::live
