#include <ops/succession.hpp>

#include <net/upload/upload_permit.hpp> // budget_now
#include <ops/process/until_in_memory.hpp>

namespace exeat::ops {

void succession::begin(const policy& first, std::uint64_t generation)
{
    take(to(first), generation);
    accounts_.hosts.begin();
}

succession::step succession::to(const policy& rules) const
{
    step out{coverage_of(rules), {}};
    out.heirs = accounts_.hosts.heirs_under(rules, out.next);
    return out;
}

void succession::take(step s, std::uint64_t generation)
{
    const auto now = net::budget_now();
    const auto& entries = s.heirs.entries;
    until_in_memory([&] { accounts_.uploads.book().pass_on(s.heirs.uploads, generation, now); });
    until_in_memory([&] { accounts_.names.names().pass_on(entries, generation, now); });
    if (!entries.empty()) {
        until_in_memory([&] { detectors_.pass_on(entries); });
        until_in_memory([&] { actions_.pass_on(entries, generation); });
    }
    until_in_memory([&] { accounts_.hosts.adopt(s.next); });
}

} // namespace exeat::ops
