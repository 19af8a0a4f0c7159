#include <exeat/budget/budget_book.hpp>

#include <exeat/rule.hpp>

#include "../names/name_hash.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace exeat {

namespace {

bool counts_excess(const account_id& a) noexcept
{
    return a.of == budget_key::scope::client_at_purpose && default_upload(static_cast<purpose>(a.what)).excess;
}

account_id account_of(const budget_key& k) noexcept { return {k.of, k.what}; }

// The limits of an heir that has not been opened yet.
upload_limits first_limits(const budget_key& heir, const upload_limits& of_what_it_inherits)
{
    if (heir.of == budget_key::scope::client_at_purpose) return default_upload(static_cast<purpose>(heir.what));
    return {of_what_it_inherits.most, false};
}

} // namespace

std::uint64_t budget_key::id_of(std::string_view entry) noexcept
{
    std::uint64_t h = 0xcbf29ce484222325;
    for (const char c : entry) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return h == 0 ? 1 : h;
}

std::size_t budget_book::hash::operator()(const budget_key& k) const noexcept
{
    char bytes[sizeof k.client.octets + sizeof k.what + 1];
    std::memcpy(bytes, k.client.octets.data(), sizeof k.client.octets);
    std::memcpy(bytes + sizeof k.client.octets, &k.what, sizeof k.what);
    bytes[sizeof bytes - 1] = static_cast<char>(k.of);
    name_hash h{seed};
    h.absorb({bytes, sizeof bytes});
    return h.whole();
}

budget_book::line::line(const budget_key& k, const upload_limits& to, budget_minutes now, std::optional<budget_minutes> forgot,
                        upload_tally* with)
    : key{k}, tally{with}, record{with == nullptr ? nullptr : with->take()}, account{to, now, forgot, record}, used{now}
{
    if (record == nullptr) return;
    record->what = k.what;
    record->client = k.client.octets;
    record->scope.store(static_cast<std::uint32_t>(k.of) + 1);
}

budget_book::line::~line()
{
    if (record != nullptr) tally->give_back(*record);
}

budget_book::budget_book(std::uint64_t seed, budget_minutes now, std::optional<budget_minutes> forgot, upload_tally* tally)
    : hash_{seed}, forgot_{forgot}, tally_{tally}
{
    upload_limits tight;
    tight.most[budget_window::hour] = limits::crowded_budget;
    const budget_key of_nobody{budget_key::scope::entry, {}, 0};
    shared_ = std::make_unique<line>(of_nobody, tight, now, std::nullopt, nullptr);
    for (auto& p : parts_) p.lines = decltype(p.lines){0, hash_};
}

budget_book::handle budget_book::open(const budget_key& key, const upload_limits& to, budget_minutes now)
{
    auto& p = part_of(key);
    const std::lock_guard hold{p.lines_lock};
    line* l = find_or_add(p, key, to, now);
    if (l == nullptr) {
        crowded_.fetch_add(1, std::memory_order_relaxed);
        l = shared_.get();
    } else {
        l->account.hold_to(to, now);
        l->used = now;
    }
    l->open.fetch_add(1, std::memory_order_relaxed);
    return handle{*l};
}

void budget_book::restore(const budget_key& key, const upload_account::snapshot& s, budget_minutes saved_at,
                          const upload_account::later& then, budget_minutes now)
{
    auto& p = part_of(key);
    const std::lock_guard hold{p.lines_lock};
    if (line* l = find_or_add(p, key, {}, now)) l->account.read(s, saved_at, then, now);
}

// What one account inherits.
struct budget_book::legacy {
    budget_key to;
    upload_limits held_to;                 // until the account is opened
    upload_account::bequest before, after; // before: its sums when the first copy was made
    budget_minutes used;
};

void budget_book::pass_on(const heirs_of<account_id>& all, std::uint64_t generation, budget_minutes now)
{
    if (all.empty()) return;
    {
        const std::lock_guard hold{heirs_lock_};
        heirs_.add(generation, all);
        generation_.store(generation);
    }
    const auto keys = keys_that_leave(all);
    for (auto first = keys.begin(); first != keys.end();) {
        const auto last = std::find_if(first, keys.end(), [&](const budget_key& k) { return k.client != first->client; });
        pass_on_of({first, last}, all, now);
        first = last;
    }
}

std::set<account_id> budget_book::used()
{
    std::set<account_id> out;
    each([&](const budget_key& k, upload_account&) { out.insert(account_of(k)); });
    return out;
}

// Sorted by client.
std::vector<budget_key> budget_book::keys_that_leave(const heirs_of<account_id>& all)
{
    std::vector<budget_key> out;
    each([&](const budget_key& k, upload_account&) {
        if (all.has(account_of(k))) out.push_back(k);
    });
    std::sort(out.begin(), out.end(), [](const budget_key& a, const budget_key& b) { return a.client < b.client; });
    return out;
}

// Everything is copied before anything inherits, so that of two entries that swap their hosts neither inherits what the other has just
// inherited. What is taken from an heir after its own copy was made is added to what it inherits.
void budget_book::pass_on_of(std::span<const budget_key> one_client, const heirs_of<account_id>& all, budget_minutes now)
{
    std::vector<legacy> estate;
    for (const auto& key : one_client)
        all.each(account_of(key), key.client, [&](const account_id& to) { add_legacy(estate, key, {to.of, key.client, to.what}, now); });
    for (const auto& l : estate) {
        auto& p = part_of(l.to);
        const std::lock_guard hold{p.lines_lock};
        auto* const heir = find_or_add(p, l.to, l.held_to, now); // still there, unless it was evicted
        if (heir == nullptr) continue;
        heir->account.inherit(l.before, l.after, now);
        heir->used = std::max(heir->used, l.used);
    }
}

void budget_book::add_legacy(std::vector<legacy>& estate, const budget_key& from, const budget_key& to, budget_minutes now)
{
    const auto limits = [&]() -> std::optional<upload_limits> {
        auto& p = part_of(from);
        const std::lock_guard hold{p.lines_lock};
        const auto found = p.lines.find(from);
        if (found == p.lines.end()) return std::nullopt;
        const auto is = found->second->account.look(now);
        return is.sent[budget_window::week] == 0 ? std::nullopt : std::optional{is.held_to}; // nothing to inherit, so no account is created
    }();
    if (!limits) return;
    auto at = std::find_if(estate.begin(), estate.end(), [&](const legacy& l) { return l.to == to; });
    if (at == estate.end()) {
        const auto held_to = first_limits(to, *limits);
        const auto had = copy_of(to, held_to, false, now); // before the other copy, which includes what is taken meanwhile
        if (!had) return;                                  // without room it uses the shared account
        at = estate.insert(at, {to, held_to, had->first, had->first, had->second});
    }
    const bool was_excess = counts_excess(account_of(from)), is_excess = counts_excess(account_of(to));
    const auto left = copy_of(from, *limits, was_excess && !is_excess, now);
    if (!left) return;
    at->after.sent.raise_to(left->first.sent);
    if (was_excess && is_excess) at->after.came.raise_to(left->first.came), at->after.opened.raise_to(left->first.opened);
    at->used = std::max(at->used, left->second);
}

std::optional<std::pair<upload_account::bequest, budget_minutes>> budget_book::copy_of(const budget_key& key, const upload_limits& limits,
                                                                                       bool only_excess, budget_minutes now)
{
    auto& p = part_of(key);
    const std::lock_guard hold{p.lines_lock};
    line* const l = find_or_add(p, key, limits, now);
    if (l == nullptr) return std::nullopt;
    return std::pair{l->account.leaves(only_excess, now), l->used};
}

std::uint64_t budget_book::open_heirs(const handle& of, std::uint64_t generation, budget_minutes now, std::vector<handle>& to)
{
    std::vector<account_id> heirs;
    std::uint64_t latest = 0;
    {
        const std::lock_guard hold{heirs_lock_};
        heirs = heirs_.since(generation, account_of(of.line_->key), of.line_->key.client);
        latest = generation_.load();
    }
    for (const auto& id : heirs) {
        const budget_key key{id.of, of.line_->key.client, id.what};
        auto& p = part_of(key);
        const std::lock_guard hold{p.lines_lock};
        line* l = find_or_add(p, key, of.line_->account.look(now).held_to, now);
        if (l == nullptr) l = shared_.get();
        l->open.fetch_add(1, std::memory_order_relaxed);
        to.push_back(handle{*l});
    }
    return latest;
}

budget_book::line* budget_book::find_or_add(part& p, const budget_key& key, const upload_limits& to, budget_minutes now)
{
    if (const auto known = p.lines.find(key); known != p.lines.end()) return known->second.get();
    if (p.lines.size() >= limits::budget_accounts / part_count && !make_room(p, now)) return nullptr;
    size_.fetch_add(1, std::memory_order_relaxed);
    return p.lines.emplace(key, std::make_unique<line>(key, to, now, forgot_, tally_)).first->second.get();
}

// Examines budget_sample lines, and more only if none of these can be evicted. The hand advances through all buckets, so that every line is
// examined in turn.
bool budget_book::make_room(part& p, budget_minutes now)
{
    const line* least = nullptr;
    double least_used = 1;
    std::size_t seen = 0;
    const auto buckets = p.lines.bucket_count();
    for (std::size_t n = 0; n < buckets && (least == nullptr || seen < limits::budget_sample); ++n) {
        p.hand = (p.hand + 1) % buckets;
        for (auto at = p.lines.begin(p.hand); at != p.lines.end(p.hand); ++at, ++seen) {
            line& l = *at->second;
            if (l.open.load(std::memory_order_acquire) > 0) continue;
            const auto used = l.account.share_used(now);
            const bool less = least != nullptr && used == least_used ? l.used < least->used : used < least_used;
            if (less) least = &l, least_used = used;
        }
    }
    if (least == nullptr) return false;
    p.lines.erase(p.lines.find(least->key));
    size_.fetch_sub(1, std::memory_order_relaxed);
    evicted_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

} // namespace exeat
