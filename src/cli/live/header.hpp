// What stands above every view: is exeat ready, what does it enforce, how much goes out. Pure; any thread.
#pragma once

#include <cli/live/picture.hpp>
#include <cli/live/table.hpp>

#include <vector>

namespace exeat::cli::live {

// `brief`: without what can be spared on a small screen. `also`: what stands behind the first line's own. Empty before the first look.
std::vector<line> header(const picture&, std::size_t columns, bool brief, std::vector<piece> also = {});

// One after the other, on as many lines as they take.
std::vector<line> flow(const std::vector<piece>&, std::size_t columns);
// A sentence on up to `most` lines.
std::vector<line> wrapped(std::string_view text, tone, std::size_t columns, std::size_t most);

} // namespace exeat::cli::live
