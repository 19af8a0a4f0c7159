// Which groups a pod may be in, by its service account and its namespace. Within a group the kinds of conditions are ANDed and the values
// of a kind ORed: a group with service accounts and with networks takes a pod of one of the accounts at an address of one of the networks,
// and no other client. Immutable once built; any thread.
#pragma once

#include <exeat/client.hpp>
#include <exeat/identity/pod.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace exeat {

struct workload_terms {                        // of one group
    std::vector<std::string> service_accounts; // "namespace/name"; empty: any
    std::vector<std::string> namespaces;       // empty: any
    bool any() const noexcept { return !service_accounts.empty() || !namespaces.empty(); }
    bool operator==(const workload_terms&) const = default;
};

class workload_groups {
public:
    // `group`: its bit in a group_set; each group once, also those without terms.
    void add(std::size_t group, const workload_terms&);
    // The groups whose terms the pod meets; null: a client that is no pod.
    group_set of(const pod*) const noexcept;
    group_set of_anybody() const noexcept { return anybody_; }
    std::size_t bytes() const noexcept;

private:
    struct hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
    };
    using groups_by_word = std::unordered_map<std::string, group_set, hash, std::equal_to<>>;
    struct kind {          // of condition
        group_set unasked; // the groups without this condition
        groups_by_word groups;
        void add(std::size_t group, const std::vector<std::string>& values);
        group_set of(std::string_view value) const noexcept;
    };
    group_set anybody_; // the groups without any terms
    kind accounts_, namespaces_;
};

} // namespace exeat
