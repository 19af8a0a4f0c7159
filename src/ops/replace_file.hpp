// Puts a file in place of another in one step: after a crash there is the old one or the new one, whole (rename(2), with fsync(2) of file
// and directory). Blocks; never on a worker.
#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace exeat::ops {

// Only its owner may read it. The directory must exist; `path`.new beside it is used on the way.
std::error_code replace_file(const std::string& path, std::string_view content);

} // namespace exeat::ops
