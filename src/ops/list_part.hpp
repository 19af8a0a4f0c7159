// One file of a policy on its way in: the allowlist itself, or a small one of the directory beside it. Value; one thread.
#pragma once

#include <ops/allowlist_draft.hpp>
#include <ops/approval.hpp>
#include <ops/findings.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

struct list_part {
    list_part(std::string path, approval_subject about) : wrong{std::move(path)} { statement.about = about; }

    const std::string& path() const noexcept { return wrong.file(); }

    findings wrong;
    allowlist_draft draft;                // groups, settings and expectations only in the allowlist itself
    approval_statement statement;         // what is to be approved of it; whole once it is compiled
    std::vector<std::string> approved_by; // ids of keys; only where approvals are asked for
};

} // namespace exeat::ops
