// Replaces a file atomically: after a crash there is either the old file or the new one, complete (rename(2), with fsync(2) of file and
// directory). Blocks; never on a worker.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

namespace exeat::ops {

enum class readers : std::uint8_t { owner, all };

// The directory must exist. The temporary file is `path`.new.PID beside it, so that two processes do not write to the same file.
std::error_code replace_file(const std::string& path, std::string_view content, readers = readers::owner);
// The same for content in parts; an empty part ends it. The file is put in place only if `whole` then returns true.
std::error_code replace_file_by_parts(const std::string& path, const std::function<std::string_view()>& next_part,
                                      const std::function<bool()>& whole, readers = readers::owner);
// Creates the file, and fails with std::errc::file_exists when it already exists.
std::error_code create_file(const std::string& path, std::string_view content, readers);

} // namespace exeat::ops
