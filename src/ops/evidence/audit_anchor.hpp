// The copy of an audit log's last checkpoint that is kept outside of the log: the number and the hash of its line. Stored in the state
// directory as a sealed file, and in Prometheus as two gauges. Values; any thread.
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

std::string encode(const audit_anchor&); // sealed; empty when OpenSSL provides no SHA-256
std::optional<audit_anchor> decode_anchor(std::string_view);

inline constexpr std::string_view anchor_prefix = "anchor-"; // of the file names in the state directory
// The name of the file, one for each log, because the old and the new process of an upgrade share one state directory but have two logs.
std::string anchor_name(const std::string& log);

// The first 52 bits, which a floating-point number represents exactly. 0 for a text that is not a hash.
std::uint64_t first_52_bits(std::string_view sha256) noexcept;

} // namespace exeat::ops
