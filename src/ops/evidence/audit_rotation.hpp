// Rotation of audit logs by size: the old file is PATH.NUMBER, where NUMBER is the number of its last line. The journal's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

namespace exeat::ops {

// Renames the log to PATH.NUMBER without replacing an existing file, and deletes the oldest rotated files beyond `keep`. Files that other
// tools have rotated have other names and are not touched. Files that were compressed afterwards (PATH.NUMBER.gz) are included.
std::error_code rotate_audit_file(const std::string& path, std::uint64_t last_line, std::size_t keep) noexcept;

} // namespace exeat::ops
