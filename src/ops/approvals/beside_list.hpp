// What lies in allowlist.d beside the parts that a manifest names, where lists must be approved: grants, revocations, and what is neither
// and is ignored. However much of it there is, and whatever is in it, it never keeps a policy from loading. Blocks.
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
    // Looks into the directory once. `files`: what is to be watched of it, each of it urgently.
    beside_list(const std::string& allowlist, std::vector<watched_file>& files);

    // Those that a trusted key signed for this audience and that have not ended.
    std::vector<revoked_digest> revocations(const approval_rules&, wall_time now);
    // Those that hold under this manifest; the text of what the manifest does not name is told.
    std::vector<approved_list> grants(const manifest&, const approval_rules&, const revoked_memory&, std::chrono::seconds longest,
                                      wall_time now);
    std::vector<ignored_file> ignored() const; // as of the last two
    void ignore_grant(const std::string& path, std::string text);

private:
    struct asked; // what a grant is held to
    void read_grant_of(const std::string& name, const asked&, std::vector<approved_list>& out);
    void ignore(ignored_why, const std::string& name, std::string text);
    std::string path_of(const std::string& name) const { return directory_ + "/" + name; }

    std::string directory_;
    std::vector<std::string> lists_, grants_, revocations_; // names, in order
    std::vector<ignored_file> bad_revocations_, bad_grants_;
};

} // namespace exeat::ops
