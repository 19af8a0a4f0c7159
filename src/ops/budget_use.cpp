#include <ops/budget_use.hpp>

#include <net/upload_permit.hpp> // budget_now

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace exeat::ops {

namespace {

bool fuller(const budget_use& a, const budget_use& b) noexcept
{
    return std::tuple{a.share(), a.used, a.client} > std::tuple{b.share(), b.used, b.client};
}

std::optional<budget_use> tightest(const upload_account::view& v)
{
    std::optional<budget_use> out;
    for (std::size_t w = 0; w < budget_windows; ++w) {
        if (v.held_to.most[w] == unlimited || v.counted[w] == 0) continue;
        budget_use here;
        here.window = static_cast<budget_window>(w);
        here.used = v.counted[w];
        here.limit = v.held_to.most[w];
        if (!out || fuller(here, *out)) out = here;
    }
    return out;
}

} // namespace

std::vector<budget_use> fullest_budgets(budget_book& book, const policy_status::view& status, std::size_t most)
{
    std::unordered_map<std::uint64_t, const rule*> entries;
    if (status.rules)
        for (const auto& r : status.rules->rules()) entries.emplace(budget_key::id_of(r.name), &r);
    std::vector<budget_use> all;
    book.each([&, now = net::budget_now()](const budget_key& key, upload_account& account) {
        const bool by_purpose = key.of == budget_key::scope::client_at_purpose;
        const auto entry = entries.find(key.what);
        if (!by_purpose && entry == entries.end()) return; // of an entry that is no more
        auto use = tightest(account.look(now));
        if (!use) return;
        if (key.of != budget_key::scope::entry) use->client = key.client;
        if (!by_purpose) use->entry = entry->second->name;
        use->purpose = by_purpose ? static_cast<purpose>(key.what) : entry->second->purpose;
        all.push_back(std::move(*use));
    });
    const auto shown = static_cast<std::ptrdiff_t>(std::min(most, all.size()));
    std::partial_sort(all.begin(), all.begin() + shown, all.end(), fuller);
    all.resize(static_cast<std::size_t>(shown));
    return all;
}

} // namespace exeat::ops
