#include <net/upload/upload_permit.hpp>

#include <exeat/budget/accounts.hpp>

#include <algorithm>
#include <new>

namespace exeat::net {

namespace {

bool limited(const upload_limits& l) noexcept
{
    return std::any_of(l.most.begin(), l.most.end(), [](auto most) { return most != unlimited; });
}

upload_limits limits_of(const rule& by, const policy_settings& s)
{
    const auto own = by.upload ? by.upload : s.upload;
    return own ? *own : default_upload(by.purpose);
}

} // namespace

budget_minutes budget_now() noexcept
{
    return std::chrono::floor<budget_minutes>(std::chrono::steady_clock::now().time_since_epoch()) + limits::budget_epoch;
}

upload_permit::upload_permit(budget_book& book, const uploader& who, const rule& by, const policy_settings& s, budget_minutes now,
                             std::uint64_t generation)
    : book_{&book}, generation_{generation}
{
    const auto mine = client_account(by, s);
    const auto limits = limits_of(by, s);
    excess_ = limits.excess;
    mine_ = mine.of;
    accounts_[client] = book.open({mine.of, who.client, mine.what}, limits, now);
    if (who.identity) {
        const auto of_identity = by.upload_identity ? *by.upload_identity : limits.times(who.instances);
        accounts_[identity] = book.open({mine.of, *who.identity, mine.what}, of_identity, now);
    }
    if (!limited(by.upload_total)) return;
    const auto of_all = shared_account(by);
    accounts_[everybody] = book.open({of_all.of, {}, of_all.what}, by.upload_total, now);
}

std::uint64_t upload_permit::take(std::uint64_t want, budget_minutes now) noexcept
{
    auto granted = want;
    each([&](auto& a) {
        const auto got = a->take(granted, now);
        if (got < granted) give_back_before(a, granted - got);
        granted = got;
    });
    return book_ == nullptr || book_->generation() <= generation_ ? granted : take_from_heirs(granted, now);
}

// The other workers have the newer list, or are about to get it.
std::uint64_t upload_permit::take_from_heirs(std::uint64_t granted, budget_minutes now) noexcept
try {
    std::vector<budget_book::handle> more;
    auto latest = generation_;
    each([&](auto& a) { latest = book_->open_heirs(a, generation_, now, more); });
    heirs_.reserve(heirs_.size() + more.size());
    for (auto& h : more) {
        bool held = false;
        each([&](auto& a) { held = held || a == h; });
        if (held) continue;
        const auto got = h->take(granted, now);
        if (got < granted) give_back(granted - got);
        granted = got;
        heirs_.push_back(std::move(h));
    }
    generation_ = latest;
    return granted;
} catch (const std::bad_alloc&) {
    give_back(granted);
    return 0;
}

void upload_permit::give_back_before(const budget_book::handle& end, std::uint64_t n) noexcept
{
    bool passed = false;
    each([&](auto& a) {
        passed = passed || &a == &end;
        if (!passed) a->give_back(n);
    });
}

void upload_permit::overdraw(std::uint64_t n) noexcept
{
    each([n](auto& a) { a->overdraw(n); });
}

void upload_permit::give_back(std::uint64_t n) noexcept
{
    each([n](auto& a) { a->give_back(n); });
}

void upload_permit::tunnel_opened() noexcept
{
    each_own([](auto& a) { a->tunnel_opened(); });
}

std::optional<upload_permit::lack> upload_permit::lacks(budget_minutes now)
{
    for (std::size_t i = 0; i < accounts_.size(); ++i) {
        if (!accounts_[i]) continue;
        if (const auto what = accounts_[i]->lacks(now))
            return lack{i == everybody ? budget_key::scope::entry : mine_, i == identity, *what};
    }
    return std::nullopt;
}

bool upload_permit::spent(budget_minutes now) noexcept
{
    bool out = false;
    each([&](auto& a) { out = out || a->spent(now); });
    return out;
}

} // namespace exeat::net
