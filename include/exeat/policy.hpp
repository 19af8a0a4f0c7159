// The compiled allowlist and the one decision that all ways in share. A policy is immutable: workers share it by
// std::shared_ptr<const policy>, a reload replaces it. Everything here may be called from any thread and takes no lock.
#pragma once

#include <exeat/approval.hpp>
#include <exeat/budget/moved_clients.hpp>
#include <exeat/client.hpp>
#include <exeat/denied_networks.hpp>
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
    const exeat::rule* rule = nullptr;        // that allowed or refused it, or came closest to allowing it; null: none did
    std::optional<exeat::approval> approval;  // present exactly when the verdict is allowed
    enum verdict reported = verdict::allowed; // report mode: the verdict under "enforce"
    bool by_wildcard = false;                 // the rule names the host by a wildcard: its names are counted (name_budget.hpp)

    bool allowed() const noexcept { return approval.has_value(); }
    // A later check refuses what decide() allowed: the rule stays, the approval is gone.
    void refuse(enum verdict why) noexcept
    {
        verdict = why;
        approval.reset();
    }
};

// Who may go where. `now` is handed in so that expiry is testable; expiry of list and rule are checked at every decision.
// Order: policy_expired, source_not_allowed, denied_by_rule (of a name, or of the address that was asked for), then the matching allow or
// private_link rules from the most specific pattern down. A host that any private_link names is never opened by an [[allow]]. Where nothing
// allows, the verdict is of the rule that came closest: expired, protocol_not_allowed, port_not_allowed, else ip_literal for an address and
// not_allowed for a name. Report mode turns not_allowed, port_not_allowed and protocol_not_allowed into allowed under a built-in rule
// "_report" (any public address; TLS for tunnels, HTTP for requests), never for an address and never for a host that a private_link names.
decision decide(const client& who, const target& to, const policy& rules, wall_time now);

struct group {
    std::string name;
    std::vector<ip_prefix> sources;
    std::uint32_t slot = 0; // of its counters; stable over reloads, below limits::group_slots; 0 is "_none"
    std::uint32_t line = 0; // where it stands
    bool report = false;    // mode = "report", for this group alone
};

// What concerns the list as a whole.
struct policy_settings {
    std::uint64_t serial = 0;
    wall_time expires = never;
    bool report = false;                  // mode = "report", for every group
    wall_time report_until = never;       // of the list's report mode, and of its groups'
    std::optional<upload_limits> upload;  // [defaults]: of one client at one entry without a budget of its own
    std::string sha256;                   // of the raw bytes, lower-case hexadecimal
    std::vector<std::string> approved_by; // ids of keys; empty where no approval is asked for
    std::string deny_help;                // how to ask for access; may be empty
};

class policy {
public:
    policy() = default; // the empty list: denies everything

    const policy_settings& settings() const noexcept { return settings_; }
    const std::vector<rule>& rules() const noexcept { return rules_; }
    const std::vector<group>& groups() const noexcept { return groups_; }
    const name_index& names() const noexcept { return names_; }
    const denied_networks& denied() const noexcept { return denied_; }

    // The [[deny]] that names this address or a network around it, for a client of these groups and this port; null: none does.
    const rule* denies(const group_set&, std::uint16_t port, const ip_address&) const noexcept;

    // The groups that a source address belongs to; none() means that it is refused before a byte is read.
    group_set groups_of(const ip_address& source) const noexcept;
    // The same for all addresses.
    membership memberships() const;
    // Of the groups' names, the same in every process; 0 for all groups.
    std::uint64_t digest_of(const group_set&) const noexcept;
    // The counter slot of the client's first group; 0 for none.
    std::uint32_t group_slot(const group_set&) const noexcept;
    // Whether the mode is report at `now` for a client of these groups, one of them at least; or for anybody. report_until passed means
    // enforce again.
    bool reporting(const group_set&, wall_time now) const noexcept;
    bool reporting(wall_time now) const noexcept { return reporting(group_set{}.set(), now); }
    // The next moment after `now` at which a decision can change by itself: a rule, the list or report mode expires.
    wall_time next_change(wall_time now) const noexcept;
    std::size_t bytes() const noexcept;

private:
    friend class policy_builder;
    friend decision decide(const client&, const target&, const policy&, wall_time now);
    struct source_range { // of ascending, disjoint ranges
        ip_address first, last;
        group_set groups;
    };
    static std::vector<source_range> disjoint_ranges(const std::vector<group>&);

    policy_settings settings_;
    std::vector<rule> rules_;
    std::vector<group> groups_;
    std::vector<source_range> sources_;
    name_index names_;
    denied_networks denied_;
    group_set reports_; // the groups that report mode is for
    // what report mode lets pass counts under one of these, slot reported_rule_slot
    rule reported_tls_, reported_http_;
};

} // namespace exeat
