// What is known of an audit log outside of it: the number and the hash of the line at its last checkpoint. In the state directory as a
// sealed file, in Prometheus as two gauges. Values; any thread.
#pragma once

#include <exeat/rule.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

struct audit_anchor {
    std::uint64_t sequence = 0;
    std::string sha256; // of the line, 64 hexadecimal digits
    wall_time at{};
    std::string host, log; // the machine that wrote it, and the log's path there
};

std::string encode(const audit_anchor&); // sealed; empty when the library has no SHA-256 for us
std::optional<audit_anchor> decode_anchor(std::string_view);

inline constexpr std::string_view anchor_prefix = "anchor-"; // of the names in the state directory
// The name of the file: one for each log, since the old and the new process of an upgrade have one state directory and two logs.
std::string anchor_name(const std::string& log);

// The first 52 bits: as many as a floating-point number has exactly. 0 for what is no hash.
std::uint64_t first_52_bits(std::string_view sha256) noexcept;

} // namespace exeat::ops
