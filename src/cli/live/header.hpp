// The lines above every view: whether exeat is ready, what it enforces, and how much is sent. Pure; any thread.
#pragma once

#include <cli/live/picture.hpp>
#include <cli/live/table.hpp>

#include <vector>

namespace exeat::cli::live {

// `brief`: without details, for a small screen. `also`: appended to the first line. Empty before the first answer.
std::vector<line> header(const picture&, std::size_t columns, bool brief, std::vector<piece> also = {});

// Places the pieces side by side, on as many lines as needed.
std::vector<line> flow(const std::vector<piece>&, std::size_t columns);
// Wraps a sentence to at most `most` lines.
std::vector<line> wrapped(std::string_view text, tone, std::size_t columns, std::size_t most);

} // namespace exeat::cli::live
