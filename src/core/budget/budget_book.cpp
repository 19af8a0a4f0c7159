#include <exeat/budget/budget_book.hpp>

#include <exeat/identity/workload_key.hpp>

#include <exeat/rule.hpp>

#include "../names/name_hash.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

namespace exeat {

namespace {

bool counts_excess(const account_id& a) noexcept
{
    return a.of == budget_key::scope::client_at_purpose && default_upload(static_cast<purpose>(a.what)).excess;
}

account_id account_of(const budget_key& k) noexcept { return {k.of, k.what}; }

const ip_address& owner_of(const budget_key& k) noexcept { return k.of == budget_key::scope::entry ? everybody : k.client; }

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

// What the accounts of one client inherit.
struct budget_book::estate {
    struct legacy {
        handle heir;                           // open, so that it is not evicted before it inherits
        upload_account::bequest before, after; // before: its sums when the first copy was made
        budget_minutes used;
    };
    const ip_address client;
    std::map<account_id, legacy> of;
};

void budget_book::pass_on(const heirs_of<account_id>& all, std::uint64_t generation, budget_minutes now)
{
    if (all.empty()) return;
    {
        const std::lock_guard hold{heirs_lock_};
        heirs_.add(generation, all);
        generation_.store(generation);
    }
    ++pass_;
    made_before_ = made();
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
    std::map<const heirs_of<account_id>::set*, std::vector<budget_key>> leaving;
    for (const auto& key : one_client)
        all.each_set(account_of(key), [&](const auto& s) {
            if (all.applies(s, owner_of(key))) leaving[&s].push_back(key);
        });
    estate left{one_client.front().client, {}};
    for (const auto& [heirs, keys] : leaving) add_to(left, keys, heirs->to, now);
    for (auto& [id, l] : left.of) {
        auto& heir = *l.heir.line_;
        const std::lock_guard hold{part_of(heir.key).lines_lock};
        heir.account.inherit(l.before, l.after, now);
        heir.used = std::max(heir.used, l.used);
    }
}

std::optional<upload_limits> budget_book::limits_of_used(const budget_key& key, budget_minutes now)
{
    auto& p = part_of(key);
    const std::lock_guard hold{p.lines_lock};
    const auto found = p.lines.find(key);
    if (found == p.lines.end()) return std::nullopt;
    const auto is = found->second->account.look(now);
    return is.sent[budget_window::week] == 0 ? std::nullopt : std::optional{is.held_to};
}

void budget_book::add_to(estate& e, std::span<const budget_key> keys, std::span<const account_id> heirs, budget_minutes now)
{
    std::vector<std::pair<budget_key, upload_limits>> used;
    for (const auto& key : keys)
        if (const auto limits = limits_of_used(key, now)) used.emplace_back(key, *limits);
    if (used.empty()) return; // nothing to inherit, so no account is created
    for (const auto& id : heirs) {
        const budget_key to{id.of, e.client, id.what};
        if (e.of.contains(id)) continue;
        auto& p = part_of(to);
        const std::lock_guard hold{p.lines_lock};
        auto* const heir = line_of_heir(p, to, first_limits(to, used.front().second), now);
        if (heir == nullptr) continue; // without room it uses the shared account
        heir->open.fetch_add(1, std::memory_order_relaxed);
        const auto had = heir->account.leaves(false, now); // before the other copies, which include what is taken meanwhile
        e.of.emplace(id, estate::legacy{handle{*heir}, had, had, heir->used});
    }
    for (const auto& [key, held_to] : used) {
        const bool was_excess = counts_excess(account_of(key));
        const auto whole = copy_of(key, false, now), only_excess = was_excess ? copy_of(key, true, now) : whole;
        if (!whole || !only_excess) continue;
        for (const auto& id : heirs) {
            const auto at = e.of.find(id);
            if (at == e.of.end() || id == account_of(key)) continue;
            auto& l = at->second;
            const bool pulls = was_excess && counts_excess(id);
            l.after.sent.raise_to((pulls ? whole : only_excess)->first.sent);
            if (pulls) l.after.came.raise_to(whole->first.came), l.after.opened.raise_to(whole->first.opened);
            l.used = std::max(l.used, whole->second);
        }
    }
}

std::optional<std::pair<upload_account::bequest, budget_minutes>> budget_book::copy_of(const budget_key& key, bool only_excess,
                                                                                       budget_minutes now)
{
    auto& p = part_of(key);
    const std::lock_guard hold{p.lines_lock};
    const auto found = p.lines.find(key);
    if (found == p.lines.end()) return std::nullopt;
    return std::pair{found->second->account.leaves(only_excess, now), found->second->used};
}

// One list creates no more accounts than there may be, and does not search again where it has found no room.
budget_book::line* budget_book::line_of_heir(part& p, const budget_key& key, const upload_limits& to, budget_minutes now)
{
    if (const auto known = p.lines.find(key); known != p.lines.end()) return known->second.get();
    if (p.full_in_pass == pass_ || made() - made_before_ >= limits::heir_accounts) return nullptr;
    auto* const out = find_or_add(p, key, to, now);
    if (out == nullptr) p.full_in_pass = pass_;
    return out;
}

std::uint64_t budget_book::open_heirs(const handle& of, std::uint64_t generation, budget_minutes now, std::vector<handle>& to)
{
    std::vector<account_id> heirs;
    std::uint64_t latest = 0;
    {
        const std::lock_guard hold{heirs_lock_};
        heirs = heirs_.since(generation, account_of(of.line_->key), owner_of(of.line_->key));
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

// New pods come without limit, and must not drive out the account of all pods of their service account: as long as it is used at all, it
// is taken for half used, and more.
double budget_book::rank(const budget_key& k, double share_used) noexcept
{
    constexpr double nearly_all = 0.999;
    const bool kept = is_identity_key(k.client) && share_used > 0 && share_used < 1;
    return kept ? std::min(share_used + 0.5, nearly_all) : share_used;
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
            const auto used = rank(l.key, l.account.share_used(now));
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
