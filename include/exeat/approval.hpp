// The permission that a decision gives, and what the stages after it may ask of it. A value; any thread.
#pragma once

#include <exeat/client.hpp>
#include <exeat/rule.hpp>
#include <exeat/target.hpp>

#include <span>

namespace exeat {

class policy;
struct decision;

// The permission to resolve and connect, which take nothing else. Only decide() makes one. It points to the target and into the policy
// that it came from and lives no longer than either.
class approval {
public:
    const target& to() const noexcept { return *to_; }
    const exeat::rule& rule() const noexcept { return *rule_; }
    // The [[deny]] that names the address, for the client and the port of the decision; null: none does.
    const exeat::rule* denies(const ip_address&) const noexcept;
    // The addresses that are known without a look-up: those that the rule pins, or the target itself. Empty: DNS is asked.
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
