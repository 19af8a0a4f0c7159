// One file of a policy while it is loaded: the allowlist itself, or a file of the directory beside it. Value; one thread.
#pragma once

#include <ops/policy/allowlist_draft.hpp>
#include <ops/policy/approved_files.hpp>
#include <ops/text/diagnostics.hpp>

#include <string>
#include <utility>
#include <vector>

namespace exeat::ops {

// A hosts_file that an entry names.
struct hosts_digest {
    std::string path, sha256;
};

struct list_part {
    list_part(std::string path, list_kind k) : wrong{std::move(path)}, kind{k} {}

    const std::string& path() const noexcept { return wrong.file(); }

    diagnostics wrong;
    list_kind kind;
    allowlist_draft draft; // groups, settings and expectations only in the allowlist itself
    std::string sha256;
    std::vector<hosts_digest> hosts_files; // complete once it is compiled
    std::vector<std::string> approved_by;  // key ids; only when approvals are required
    wall_time ends = never;                // limits what it allows, in addition to its own expiry
    bool revoked = false;
};

} // namespace exeat::ops
