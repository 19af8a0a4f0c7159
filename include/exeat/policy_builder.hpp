// Builds a policy. Not shared; any thread.
#pragma once

#include <exeat/policy.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace exeat {

// Builds a policy name by name, so that a million names never exist twice.
class policy_builder {
public:
    // The seed keys the hash of names; see name_index_builder.
    explicit policy_builder(std::uint64_t seed = 0);
    ~policy_builder();
    policy_builder(policy_builder&&) noexcept;

    // Both return the index for group_set bits and add_host. The caller respects limits.hpp.
    std::size_t add_group(group);
    rule_index add_rule(rule);
    // An address that a deny names is also denied when a name resolves to it.
    void add_host(rule_index, const host_pattern&);
    void add_network(rule_index, const ip_prefix&); // only for a deny
    // For values that are known late, such as counter slots. Valid until the next add.
    rule& rule_at(rule_index) noexcept;
    group& group_at(std::size_t) noexcept;
    policy finish(policy_settings) &&;

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

} // namespace exeat
