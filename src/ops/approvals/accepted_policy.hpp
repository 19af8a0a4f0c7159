// Which policy was accepted last where lists must be approved: its serial, which only rises, and the digest of its manifest, so that no
// second content has the same serial. In `state`/policy.json. Blocks; one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

struct accepted_policy {
    std::uint64_t serial = 0;
    std::string sha256; // of the manifest's statement, lower-case hexadecimal
    std::string to_json() const;
    bool operator==(const accepted_policy&) const = default;
};
// None for what exeat never wrote.
std::optional<accepted_policy> read_accepted(std::string_view json);

// Why a policy must not follow the one accepted last; empty: it may.
std::string serial_objection(const std::optional<accepted_policy>& last, const accepted_policy& next);

class accepted_memory {
public:
    // No directory: nothing is known.
    explicit accepted_memory(const std::string& directory) : path_{directory.empty() ? std::string{} : directory + "/policy.json"} {}

    // Reads it as it is now, for another process may have raised it. What is wrong; empty: it is known.
    std::string look();
    const std::optional<accepted_policy>& last() const noexcept { return last_; }
    // Raises it, unless another process is further; the caller holds the state_lock. What is wrong; empty: it is on the disk.
    std::string raise(const accepted_policy& next);

private:
    std::string path_;
    std::optional<accepted_policy> last_;
};

} // namespace exeat::ops
