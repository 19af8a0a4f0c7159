#include <net/upload_permit.hpp>

#include <algorithm>

namespace exeat::net {

namespace {

bool limited(const upload_limits& l) noexcept
{
    return std::any_of(l.most.begin(), l.most.end(), [](auto most) { return most != unlimited; });
}

struct client_budget {
    budget_key key;
    upload_limits to;
};

client_budget budget_of(const ip_address& client, const rule& by, const policy_settings& s)
{
    using enum budget_key::scope;
    const auto own = by.upload ? by.upload : s.upload;
    if (own) return {{client_at_entry, client, by.id}, *own};
    return {{client_at_purpose, client, static_cast<std::uint64_t>(by.purpose)}, default_upload(by.purpose)};
}

} // namespace

budget_minutes budget_now() noexcept
{
    return std::chrono::floor<budget_minutes>(std::chrono::steady_clock::now().time_since_epoch()) + limits::budget_epoch;
}

upload_permit::upload_permit(budget_book& book, const ip_address& client, const rule& by, const policy_settings& s, budget_minutes now)
{
    const auto mine = budget_of(client, by, s);
    excess_ = mine.to.excess;
    mine_ = mine.key.of;
    accounts_[0] = book.open(mine.key, mine.to, now);
    if (limited(by.upload_total)) accounts_[1] = book.open({budget_key::scope::entry, {}, by.id}, by.upload_total, now);
}

std::uint64_t upload_permit::take(std::uint64_t want, budget_minutes now) noexcept
{
    auto granted = want;
    std::array<std::uint64_t, 2> taken{};
    for (std::size_t i = 0; i < accounts_.size(); ++i)
        if (accounts_[i]) granted = taken[i] = accounts_[i]->take(granted, now);
    for (std::size_t i = 0; i < accounts_.size(); ++i)
        if (accounts_[i] && taken[i] > granted) accounts_[i]->give_back(taken[i] - granted);
    return granted;
}

void upload_permit::overdraw(std::uint64_t n) noexcept
{
    for (auto& a : accounts_)
        if (a) a->overdraw(n);
}

void upload_permit::give_back(std::uint64_t n) noexcept
{
    for (auto& a : accounts_)
        if (a) a->give_back(n);
}

void upload_permit::tunnel_opened() noexcept
{
    if (accounts_[0]) accounts_[0]->tunnel_opened();
}

std::optional<upload_permit::lack> upload_permit::lacks(budget_minutes now)
{
    for (std::size_t i = 0; i < accounts_.size(); ++i) {
        if (!accounts_[i]) continue;
        if (const auto what = accounts_[i]->lacks(now)) return lack{i == 0 ? mine_ : budget_key::scope::entry, *what};
    }
    return std::nullopt;
}

bool upload_permit::spent(budget_minutes now) noexcept
{
    return std::any_of(accounts_.begin(), accounts_.end(), [now](auto& a) { return a && a->spent(now); });
}

} // namespace exeat::net
