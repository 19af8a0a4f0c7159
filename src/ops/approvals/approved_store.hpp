// The complete policy that was approved and accepted last, in `state`/approved: each file under its digest, and the manifest, whose rename
// replaces the stored policy. A start that finds files other than those that the manifest names serves this copy, after verifying it again
// with the keys of exeat.toml. Blocks; one thread at a time.
#pragma once

#include <ops/approvals/signed_list.hpp>

#include <string>

namespace exeat::ops {

class approved_store {
public:
    explicit approved_store(std::string state) : directory_{std::move(state) + "/approved"} {}

    std::string manifest_path() const { return directory_ + "/manifest"; }
    std::string place(const named_file& f) const { return directory_ + "/" + f.sha256; }
    bool is_there() const;

    // Both return what is wrong; empty when it is on the disk. put_files() may take long. put_manifest() needs the state_lock and removes
    // the files that the manifest does not name.
    std::string put_files(const signed_list&) const;
    std::string put_manifest(const signed_list&) const;

private:
    std::string directory_;
};

} // namespace exeat::ops
