// The compiled allowlist and the single decision for all kinds of requests. A policy is immutable: workers share it by
// std::shared_ptr<const policy>, and a reload replaces it. Everything here may be called from any thread and takes no lock.
#pragma once

#include <exeat/approval.hpp>
#include <exeat/budget/moved_clients.hpp>
#include <exeat/client.hpp>
#include <exeat/denied_networks.hpp>
#include <exeat/identity/workload_groups.hpp>
#include <exeat/names/name_index.hpp>
#include <exeat/rule.hpp>
#include <exeat/target.hpp>
#include <exeat/verdict.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace exeat {

class policy;

struct decision {
    enum verdict verdict = verdict::not_allowed;
    const exeat::rule* rule = nullptr;        // the rule that allowed or refused it, or came closest to allowing it; null: none
    std::optional<exeat::approval> approval;  // present exactly when the verdict is allowed
    enum verdict reported = verdict::allowed; // report mode: the verdict under "enforce"
    bool by_wildcard = false;                 // the rule names the host by a wildcard, so its names are counted (name_budget.hpp)

    bool allowed() const noexcept { return approval.has_value(); }
    // For a later check that refuses what decide() allowed: the rule remains, the approval is removed.
    void refuse(enum verdict why) noexcept
    {
        verdict = why;
        approval.reset();
    }
};

// Decides whether a client may reach a target. `now` is passed in so that expiry is testable; the expiry of list and rule is checked at
// every decision. Order: policy_expired, source_not_allowed, denied_by_rule (for a name, or for the requested address), then the matching
// allow or private_link rules from the most specific pattern to the least. A host that any private_link names is never opened by an
// [[allow]]. If no rule allows, the verdict is that of the rule that came closest: expired, protocol_not_allowed, port_not_allowed, else
// ip_literal for an address and not_allowed for a name. Report mode turns not_allowed, port_not_allowed and protocol_not_allowed into
// allowed under a built-in rule "_report" (any public address; TLS for tunnels, HTTP for requests), never for an address and never for a
// host that a private_link names.
decision decide(const client& who, const target& to, const policy& rules, wall_time now);

struct group {
    std::string name;
    std::vector<ip_prefix> sources; // empty: every address, for a group with workloads
    std::uint32_t slot = 0;         // of its counters; stable over reloads, below limits::group_slots; 0 is "_none"
    std::uint32_t line = 0;         // its line in the file
    bool report = false;            // mode = "report", only for this group
    workload_terms workloads{};
    std::uint32_t instances = limits::instances; // how many pods one service account has here at a time
};

// Settings of the whole list.
struct policy_settings {
    std::uint64_t serial = 0;
    wall_time expires = never;
    bool report = false;                  // mode = "report", for every group
    wall_time report_until = never;       // end of report mode, of the list and of its groups
    std::optional<upload_limits> upload;  // [defaults]: for one client at an entry without a budget of its own
    std::string sha256;                   // of the raw bytes, lower-case hexadecimal
    std::vector<std::string> approved_by; // ids of keys; empty if no approval is required
    std::string deny_help;                // how users can request access; may be empty
};

class policy {
public:
    policy() = default; // the empty list: denies everything

    const policy_settings& settings() const noexcept { return settings_; }
    const std::vector<rule>& rules() const noexcept { return rules_; }
    const std::vector<group>& groups() const noexcept { return groups_; }
    const name_index& names() const noexcept { return names_; }
    const workload_groups& workloads() const noexcept { return workloads_; }
    const denied_networks& denied() const noexcept { return denied_; }

    // The [[deny]] that names this address or a network around it, for a client of these groups and this port; null: none.
    const rule* denies(const group_set&, std::uint16_t port, const ip_address&) const noexcept;

    // The groups of a source address and of the pod that has it (null: none); if none() is true, the connection is refused before a byte
    // is read.
    group_set groups_of(const ip_address& source, const pod* = nullptr) const noexcept;
    // How many pods the service account of this pod may have at a time: the largest group::instances of the groups for pods whose terms it
    // meets, wherever it is, so that all pods of an account have one answer.
    std::uint32_t instances_of(const pod&) const noexcept;
    // The groups of all addresses, and what decides the groups of pods.
    membership memberships() const;
    // A digest of the groups' names, the same in every process; 0 for all groups.
    std::uint64_t digest_of(const group_set&) const noexcept;
    // The counter slot of the client's first group; 0 for none.
    std::uint32_t group_slot(const group_set&) const noexcept;
    // Whether report mode applies at `now` to at least one of these groups, or to any group. After report_until, the mode is enforce again.
    bool reporting(const group_set&, wall_time now) const noexcept;
    bool reporting(wall_time now) const noexcept { return reporting(group_set{}.set(), now); }
    // The next time after `now` at which a decision can change without a reload: a rule, the list or report mode expires.
    wall_time next_change(wall_time now) const noexcept;
    std::size_t bytes() const noexcept;

private:
    friend class policy_builder;
    friend decision decide(const client&, const target&, const policy&, wall_time now);
    struct source_range { // one of ascending, disjoint ranges
        ip_address first, last;
        group_set groups;
    };
    static std::vector<source_range> disjoint_ranges(const std::vector<group>&);
    std::uint64_t pods_digest() const;

    policy_settings settings_;
    std::vector<rule> rules_;
    std::vector<group> groups_;
    std::vector<source_range> sources_;
    group_set anywhere_; // the groups without sources
    workload_groups workloads_;
    name_index names_;
    denied_networks denied_;
    group_set reports_; // the groups in report mode
    // requests that only report mode allows are counted under one of these, slot reported_rule_slot
    rule reported_tls_, reported_http_;
};

} // namespace exeat
