#include <ops/succession.hpp>

#include <net/upload_permit.hpp> // budget_now
#include <ops/until_in_memory.hpp>

namespace exeat::ops {

succession::step succession::to(const policy& rules) const
{
    step out{coverage_of(rules), {}};
    out.heirs = accounts_.heirs_under(rules, out.next);
    return out;
}

void succession::take(step s, std::uint64_t generation)
{
    const auto now = net::budget_now();
    const auto& entries = s.heirs.entries;
    until_in_memory([&] { uploads_.pass_on(s.heirs.uploads, generation, now); });
    until_in_memory([&] { names_.pass_on(entries, generation, now); });
    if (!entries.empty()) {
        until_in_memory([&] { detectors_.pass_on(entries); });
        until_in_memory([&] { actions_.pass_on(entries, generation); });
    }
    until_in_memory([&] { accounts_.adopt(s.next); });
}

} // namespace exeat::ops
