// The policy that was approved and taken last, whole, in `state`/approved: each file by its digest, and the manifest, whose rename makes it
// the one. A start that finds other files than the manifest names serves it, after it was verified again with the keys of exeat.toml.
// Blocks; one thread at a time.
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

    // What is wrong; empty: it is on the disk. The first may take long; the second needs the state_lock, and removes what it does not name.
    std::string put_files(const signed_list&) const;
    std::string put_manifest(const signed_list&) const;

private:
    std::string directory_;
};

} // namespace exeat::ops
