// Puts a file in place of another in one step: after a crash there is the old one or the new one, whole (rename(2), with fsync(2) of file
// and directory). Blocks; never on a worker.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

namespace exeat::ops {

enum class readers : std::uint8_t { owner, all };

// The directory must exist; `path`.new.PID beside it is used on the way, so that two processes do not write into one.
std::error_code replace_file(const std::string& path, std::string_view content, readers = readers::owner);
// The same of what comes in parts, none at the end; it is put in place only if it is whole then.
std::error_code replace_file_by_parts(const std::string& path, const std::function<std::string_view()>& next_part,
                                      const std::function<bool()>& whole, readers = readers::owner);
// Only where there is none yet: std::errc::file_exists.
std::error_code create_file(const std::string& path, std::string_view content, readers);

} // namespace exeat::ops
