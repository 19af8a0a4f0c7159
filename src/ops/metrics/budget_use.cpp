#include <ops/metrics/budget_use.hpp>

#include <ops/metrics/open_accounts.hpp>

#include <algorithm>
#include <tuple>

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
        here.assumed = v.assumed[w];
        if (!out || fuller(here, *out)) out = here;
    }
    return out;
}

} // namespace

std::vector<budget_use> fullest_budgets(budget_book& book, const policy_status::view& status, std::size_t most)
{
    std::vector<budget_use> all;
    each_open_account(book, status, [&](const open_account& a) {
        auto use = tightest(a.now);
        if (!use) return;
        use->client = a.client;
        if (a.entry != nullptr) use->entry = a.account;
        use->purpose = a.purpose;
        all.push_back(std::move(*use));
    });
    const auto shown = static_cast<std::ptrdiff_t>(std::min(most, all.size()));
    std::partial_sort(all.begin(), all.begin() + shown, all.end(), fuller);
    all.resize(static_cast<std::size_t>(shown));
    return all;
}

} // namespace exeat::ops
