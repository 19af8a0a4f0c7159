// One file of a policy on its way in: the allowlist itself, or a small one of the directory beside it. Value; one thread.
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
    std::vector<hosts_digest> hosts_files; // whole once it is compiled
    std::vector<std::string> approved_by;  // ids of keys; only where approvals are asked for
    wall_time ends = never;                // of what it allows, beside what it says itself
    bool revoked = false;
};

} // namespace exeat::ops
