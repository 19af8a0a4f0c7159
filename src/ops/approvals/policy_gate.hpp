// Decides whether an allowlist on disk takes effect where lists must be approved: it requires one manifest that enough trusted keys signed
// for this audience, files that match the manifest, and a serial that only increases. The policy that was accepted last is kept completely
// in `state` and is loaded while the files on disk differ; a revocation narrows either of them at once. Without trusted keys every valid
// list is accepted. One thread at a time; blocks, never on a worker.
#pragma once

#include <exeat/config.hpp>
#include <ops/approvals/accepted_policy.hpp>
#include <ops/approvals/approved_store.hpp>
#include <ops/approvals/beside_list.hpp>
#include <ops/approvals/revoked_memory.hpp>
#include <ops/policy/load_allowlist.hpp>

#include <string>

namespace exeat::ops {

class policy_gate {
public:
    // serve: records what is accepted, and uses the stored copy. check: gives the same verdict about the files on disk, and writes nothing.
    enum class use : std::uint8_t { serve, check };

    // Reads the keys and the state. Throws std::runtime_error with a message for the operator when either cannot be read.
    explicit policy_gate(const config&, use = use::serve);

    loaded_allowlist load(label_registry&, wall_time now, scrutiny = scrutiny::load);
    // Any thread. The stem of the file that holds a trusted key; empty for an id that is not trusted.
    std::string name_of_key(const std::string& id) const;
    const std::string& allowlist() const noexcept { return allowlist_; }

private:
    struct asked { // the arguments of one load
        label_registry& labels;
        wall_time now;
        scrutiny how;
        beside_list& beside;
    };
    loaded_allowlist load_signed(label_registry&, wall_time now, scrutiny);
    loaded_allowlist load_disk(const asked&, std::vector<watched_file> files);
    loaded_allowlist compile(const signed_list&, const asked&) const;
    loaded_allowlist without_bad_grants(approved_files, loaded_allowlist, const load_options&, const asked&) const;
    std::string accept(const signed_list&, approval_state&); // returns what is wrong
    void stand_in(loaded_allowlist& refused, const asked&);
    load_options options(scrutiny) const;

    const std::string allowlist_;
    const bool require_end_;
    const site_networks site_;
    const bool pods_; // exeat.toml has [kubernetes]
    const std::chrono::seconds grant_for_;
    const use use_;
    approval_rules rules_;
    std::string state_;
    accepted_memory accepted_;
    revoked_memory revoked_;
    approved_store store_;
    std::string stored_; // the digest of the stored statement, as this process last saw it
};

// The keys of `trusted_keys`, each once, with the required number of approvals and the audience. Throws std::runtime_error.
approval_rules read_approval_rules(const config&);

} // namespace exeat::ops
