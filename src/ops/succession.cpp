#include <ops/succession.hpp>

#include <net/upload/upload_permit.hpp> // budget_now
#include <net/wall_clock.hpp>
#include <ops/process/until_in_memory.hpp>

#include <optional>
#include <set>

namespace exeat::ops {

void succession::begin(const policy& first, std::uint64_t generation)
{
    take(to(first, net::wall_now()), generation);
    accounts_.hosts.begin();
}

succession::step succession::to(const policy& rules, wall_time at) const
{
    step out{coverage_of(rules, at), {}, {}, at};
    out.heirs = accounts_.hosts.heirs_under(rules, out.next);
    if (out.heirs.entries.empty()) return out;
    for (const auto& r : rules.rules()) out.names.emplace(r.id, r.name);
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
        until_in_memory([&] { quarantines_.pass_on(entries, s.names); });
    }
    // On disk before any worker has the list: after a crash nothing inherits by it again.
    bool saved = true;
    if (!s.heirs.empty()) until_in_memory([&] { saved = accounts_.save(); });
    until_in_memory([&] { accounts_.hosts.adopt(s.next, use(), saved); });
    covered_ = s.at;
}

// Whether something is kept under the accounts of a holding, or whether its entry is quarantined.
std::function<bool(const holding&)> succession::use() const
{
    return [this, used = std::optional<std::set<account_id>>{}](const holding& h) mutable {
        if (!used) used = accounts_.uploads.book().used();
        return used->contains(h.client) || used->contains(h.shared) || quarantines_.has(h.entry);
    };
}

} // namespace exeat::ops
