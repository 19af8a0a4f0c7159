// Audit logs that were rotated by their size: PATH.NUMBER, where NUMBER is that of their last line. The journal's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

namespace exeat::ops {

// Renames the log to PATH.NUMBER, over nothing that is there, and deletes what was rotated longest ago beyond `keep` files. Files that
// other tools have rotated have other names and are not touched, but for one that was compressed since (PATH.NUMBER.gz).
std::error_code rotate_audit_file(const std::string& path, std::uint64_t last_line, std::size_t keep) noexcept;

} // namespace exeat::ops
