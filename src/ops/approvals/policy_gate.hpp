// What stands between an allowlist on disk and its taking effect where lists must be approved: one manifest that enough trusted keys signed
// for this audience, files that are what it names, and a serial that only rises. What was accepted last is kept whole in `state`, and is
// what is loaded while the disk has something else; a revocation narrows either at once. Without trusted keys every valid list passes.
// One thread at a time; blocks, never on a worker.
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
    // serve: what is accepted is remembered, and the stored copy stands in. check: the same answer about the disk, and nothing is written.
    enum class use : std::uint8_t { serve, check };

    // Reads the keys and the state. Throws std::runtime_error, with words for people, when either cannot be read.
    explicit policy_gate(const config&, use = use::serve);

    loaded_allowlist load(label_registry&, wall_time now, scrutiny = scrutiny::load);
    // Any thread. The stem of the file that holds a trusted key; empty for an id that is not trusted.
    std::string name_of_key(const std::string& id) const;
    const std::string& allowlist() const noexcept { return allowlist_; }

private:
    struct asked { // of one load
        label_registry& labels;
        wall_time now;
        scrutiny how;
        beside_list& beside;
    };
    loaded_allowlist load_signed(label_registry&, wall_time now, scrutiny);
    loaded_allowlist load_disk(const asked&, std::vector<watched_file> files);
    loaded_allowlist compile(const signed_list&, const asked&) const;
    loaded_allowlist without_bad_grants(approved_files, loaded_allowlist, const load_options&, const asked&) const;
    std::string accept(const signed_list&, approval_state&); // what is wrong
    void stand_in(loaded_allowlist& refused, const asked&);
    load_options options(scrutiny) const;

    const std::string allowlist_;
    const bool require_end_;
    const site_networks site_;
    const std::chrono::seconds grant_for_;
    const use use_;
    approval_rules rules_;
    std::string state_;
    accepted_memory accepted_;
    revoked_memory revoked_;
    approved_store store_;
    std::string stored_; // the digest of the statement whose files the store has, as this process has seen
};

// The keys of `trusted_keys`, each once, and what else counts. Throws std::runtime_error.
approval_rules read_approval_rules(const config&);

} // namespace exeat::ops
