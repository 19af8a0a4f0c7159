// Compiles the drafts of a policy's files, and the hosts files that they name, to one policy. One thread.
#pragma once

#include <exeat/policy.hpp>
#include <exeat/policy_builder.hpp>
#include <ops/files/watched_file.hpp>
#include <ops/policy/hosts_file.hpp>
#include <ops/policy/label_registry.hpp>
#include <ops/policy/list_part.hpp>
#include <ops/text/digest.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace exeat::ops {

class allowlist_compiler {
public:
    // `files`: the hosts files are appended as they are read. `require_end`: they must end with their mark. `approved`: the only files that
    // are read; null: any.
    allowlist_compiler(std::vector<watched_file>& files, bool require_end, const approved_files* approved);

    void take_text(std::string_view of_the_allowlist);
    void take_digest(const sha256_digest::value& of_a_part);
    // Adds the part's entries, and the groups of the first part; removes the hosts from the draft. Errors are added to the part's
    // diagnostics.
    void add(list_part&);
    bool failed() const;
    bool unapproved() const noexcept { return unapproved_; } // a hosts file is missing, or not as it was approved
    // Slots are assigned here, so that a refused list uses none. `settings` without sha256.
    std::shared_ptr<const policy> finish(policy_settings, label_registry&, diagnostics&) &&;
    void tell_of_hosts_files(std::vector<problem>&);

private:
    void add_entry(list_part&, entry&);
    void add_hosts_file(list_part&, rule_index, const entry&);
    bool hold_to_approval(const std::string& path, hosts_file_options&, diagnostics&);
    void add_host(rule_index, const host_pattern&, diagnostics&);
    void add_network(rule_index, const ip_prefix&, diagnostics&);
    bool room_for_one(diagnostics&);

    std::vector<watched_file>& files_;
    const bool require_end_;
    const approved_files* const approved_;
    policy_builder builder_;
    sha256_digest digest_;
    std::vector<diagnostics> hosts_files_;
    std::size_t names_ = 0;
    bool unapproved_ = false;
    std::vector<std::pair<std::string, purpose>> rules_; // for slots
    std::vector<std::string> groups_;
};

} // namespace exeat::ops
