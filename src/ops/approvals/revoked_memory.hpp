// The digests that were taken back, each until its end: by revocations, and by manifests. Kept in `state`/revoked, so that neither a
// restart nor whoever removes the revocation gives back what was revoked. Only ever grows until the ends come. Blocks; one thread at a
// time.
#pragma once

#include <ops/approvals/manifest.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// The file's text, strictly; none for what exeat never wrote.
std::optional<std::vector<revoked_digest>> read_revoked_memory(std::string_view text);
std::string revoked_memory_text(const std::vector<revoked_digest>&);

class revoked_memory {
public:
    explicit revoked_memory(std::string directory)
        : directory_{std::move(directory)}, path_{directory_.empty() ? std::string{} : directory_ + "/revoked"}
    {}

    // Reads what another process may have added. What is wrong; empty: it is known.
    std::string look();
    // These too, at once; on the disk with keep(). The later end counts. False: the disk will not have all of them.
    bool add(const std::vector<revoked_digest>&);
    // Writes what the disk does not have yet, without what has ended by a time that is certain. What is wrong; empty: it is there.
    std::string keep(std::optional<wall_time> certain);

    void full(bool f) noexcept { full_ = f; } // more was revoked than fits
    // Also of everything, once full() was said: what was revoked and could not be remembered is not known.
    bool holds(const std::string& sha256, wall_time now) const;
    std::size_t count(wall_time now) const;
    std::vector<revoked_digest> all() const; // ascending

private:
    std::string directory_, path_;
    std::map<std::string, wall_time> until_; // by digest
    bool kept_ = true;                       // the disk has them all
    bool full_ = false;
};

} // namespace exeat::ops
