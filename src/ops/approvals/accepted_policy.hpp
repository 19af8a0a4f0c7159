// The policy that was accepted last where lists must be approved: its serial, which only increases, and the digest of its manifest, so that
// one serial never has two contents. Stored in `state`/policy.json. Blocks; one thread at a time.
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
// Absent for a text that exeat never wrote.
std::optional<accepted_policy> read_accepted(std::string_view json);

// Why a policy must not follow the one accepted last; empty: it may.
std::string serial_objection(const std::optional<accepted_policy>& last, const accepted_policy& next);

class accepted_memory {
public:
    // An empty directory name means that nothing is known.
    explicit accepted_memory(const std::string& directory) : path_{directory.empty() ? std::string{} : directory + "/policy.json"} {}

    // Reads the file again, because another process may have raised the serial. Returns what is wrong; empty on success.
    std::string look();
    const std::optional<accepted_policy>& last() const noexcept { return last_; }
    // Raises the serial, unless another process has a higher one; the caller holds the state_lock. Returns what is wrong; empty when the
    // serial is on the disk.
    std::string raise(const accepted_policy& next);

private:
    std::string path_;
    std::optional<accepted_policy> last_;
};

} // namespace exeat::ops
