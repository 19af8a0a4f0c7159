// The text of an audit log's file, however it was rotated: as it is or gzipped, or from the standard input. One way to read it for all
// verbs. Blocks; any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace exeat::ops {

// Gives the file's text in pieces of any length, until it ends or `take` returns false. "-" is the standard input. What went wrong, as
// the end of a sentence that begins with the file's name; empty when nothing did.
std::string read_log_text(const std::string& path, const std::function<bool(std::string_view)>& take);

} // namespace exeat::ops
