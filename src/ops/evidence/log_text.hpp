// Reads the text of an audit log's file, plain or gzipped, or from the standard input. All verbs read logs with it. Blocks; any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace exeat::ops {

// Passes the file's text to `take` in pieces of any length, until it ends or `take` returns false. "-" is the standard input. Returns the
// error as the end of a sentence that begins with the file's name; empty on success.
std::string read_log_text(const std::string& path, const std::function<bool(std::string_view)>& take);

} // namespace exeat::ops
