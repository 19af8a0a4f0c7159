// The revoked digests, each until its end, from revocations and manifests. Stored in `state`/revoked, so that neither a restart nor the
// removal of the revocation file restores what was revoked. A digest is removed only after its end, unless two full processes are merged
// (see keep()). Blocks; one thread at a time.
#pragma once

#include <ops/approvals/manifest.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// Parses the file's text strictly; absent for a text that exeat never wrote.
std::optional<std::vector<revoked_digest>> read_revoked_memory(std::string_view text);
std::string revoked_memory_text(const std::vector<revoked_digest>&);

class revoked_memory {
public:
    explicit revoked_memory(std::string directory)
        : directory_{std::move(directory)}, path_{directory_.empty() ? std::string{} : directory_ + "/revoked"}
    {}

    // Reads what another process may have added. Returns what is wrong; empty on success.
    std::string look();
    // Adds digests with immediate effect; keep() writes them to the disk. Of two ends the later one counts. False: not all of them will be
    // on the disk.
    bool add(const std::vector<revoked_digest>&);
    // Writes what the disk does not have yet, and drops what has ended at a time that is certain. Returns what is wrong; empty when it is
    // on the disk.
    std::string keep(std::optional<wall_time> certain);

    void full(bool f) noexcept { full_ = f; } // more was revoked than fits
    // True for every digest after full(true), because the revocations that did not fit are not known.
    bool holds(const std::string& sha256, wall_time now) const;
    std::size_t count(wall_time now) const;
    std::vector<revoked_digest> all() const; // ascending

private:
    std::string directory_, path_;
    std::map<std::string, wall_time> until_; // by digest
    bool kept_ = true;                       // the disk has all of them
    bool full_ = false;
};

} // namespace exeat::ops
