// The permission that a decision grants, with what later stages need from the rule. A value; any thread.
#pragma once

#include <exeat/client.hpp>
#include <exeat/rule.hpp>
#include <exeat/target.hpp>

#include <span>

namespace exeat {

class policy;
struct decision;

// The permission to resolve and connect; these stages accept nothing else. Only decide() creates one. It points to its target and into its
// policy, and must not outlive either.
class approval {
public:
    const target& to() const noexcept { return *to_; }
    const exeat::rule& rule() const noexcept { return *rule_; }
    // The [[deny]] that names the address, for the client and the port of the decision; null: none does.
    const exeat::rule* denies(const ip_address&) const noexcept;
    // The addresses that are known without a look-up: those that the rule pins, or the target itself. Empty: DNS must be queried.
    std::span<const ip_address> known_addresses() const noexcept;

private:
    friend class policy;
    friend decision decide(const client&, const target&, const policy&, wall_time now);
    approval(const target& to, const exeat::rule& by, const policy& in, const group_set& of) noexcept
        : to_{&to}, rule_{&by}, policy_{&in}, groups_{of}
    {}
    const target* to_;
    const exeat::rule* rule_;
    const policy* policy_;
    group_set groups_; // of the client
};

} // namespace exeat
