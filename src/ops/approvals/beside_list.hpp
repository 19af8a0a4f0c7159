// The files in allowlist.d that the manifest does not name as parts, where lists must be approved: grants, revocations, and others, which
// are ignored. Their number and content never prevent a policy from loading. Blocks.
#pragma once

#include <ops/approvals/grant_statement.hpp>
#include <ops/approvals/revoked_memory.hpp>
#include <ops/approvals/signed_text.hpp>
#include <ops/files/watched_file.hpp>
#include <ops/policy/approved_files.hpp>
#include <ops/policy/ignored_files.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

class beside_list {
public:
    // Reads the directory once. Appends to `files` what must be watched in it, all of it as urgent.
    beside_list(const std::string& allowlist, std::vector<watched_file>& files);

    // The revocations that a trusted key signed for this audience and that have not ended.
    std::vector<revoked_digest> revocations(const approval_rules&, wall_time now);
    // The grants that are valid under this manifest. Files that are neither grants nor named by the manifest are added to ignored().
    std::vector<approved_list> grants(const manifest&, const approval_rules&, const revoked_memory&, std::chrono::seconds longest,
                                      wall_time now);
    std::vector<ignored_file> ignored() const; // by the last calls of the two functions above
    void ignore_grant(const std::string& path, std::string text);

private:
    struct asked; // what a grant is checked against
    void read_grant_of(const std::string& name, const asked&, std::vector<approved_list>& out);
    void ignore(ignored_why, const std::string& name, std::string text);
    std::string path_of(const std::string& name) const { return directory_ + "/" + name; }

    std::string directory_;
    std::vector<std::string> lists_, grants_, revocations_; // names, sorted
    std::vector<ignored_file> bad_revocations_, bad_grants_;
};

} // namespace exeat::ops
