#include <exeat/identity/workload_groups.hpp>

namespace exeat {

void workload_groups::kind::add(std::size_t group, const std::vector<std::string>& values)
{
    if (values.empty()) unasked.set(group);
    for (const auto& v : values) groups[v].set(group);
}

group_set workload_groups::kind::of(std::string_view value) const noexcept
{
    const auto at = groups.find(value);
    return at == groups.end() ? unasked : unasked | at->second;
}

void workload_groups::add(std::size_t group, const workload_terms& t)
{
    if (!t.any()) anybody_.set(group);
    accounts_.add(group, t.service_accounts);
    namespaces_.add(group, t.namespaces);
}

group_set workload_groups::of(const pod* p) const noexcept
{
    return p == nullptr ? anybody_ : accounts_.of(p->service_account) & namespaces_.of(p->space);
}

std::size_t workload_groups::bytes() const noexcept
{
    std::size_t total = 0;
    for (const auto* k : {&accounts_, &namespaces_})
        for (const auto& [word, groups] : k->groups) total += sizeof word + word.capacity() + sizeof groups + 2 * sizeof(void*);
    return total;
}

} // namespace exeat
