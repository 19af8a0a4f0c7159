#include <ops/metrics/client_series.hpp>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace exeat::ops {

namespace {

constexpr std::size_t few = 4 * limits::client_series; // at most, of candidates with little activity; more than there can be series

client_totals read(const net::client_account& a) noexcept
{
    client_totals t;
    for (std::size_t p = 0; p < purposes; ++p) t.bytes[p] = {a.bytes[p].upload.read(), a.bytes[p].download.read()};
    t.denied = a.denied.read();
    return t;
}

// Returns what is new since the last call and records it as published.
client_totals take_fresh(const net::client_account& a, const client_totals& now) noexcept
{
    client_totals fresh = now;
    fresh -= client_totals{a.told.bytes, a.told.denied};
    a.told.bytes = now.bytes;
    a.told.denied = now.denied;
    return fresh;
}

} // namespace

client_totals& client_totals::operator+=(const client_totals& o) noexcept
{
    for (std::size_t p = 0; p < purposes; ++p)
        for (std::size_t d = 0; d < 2; ++d) bytes[p][d] += o.bytes[p][d];
    denied += o.denied;
    return *this;
}

client_totals& client_totals::operator-=(const client_totals& o) noexcept
{
    for (std::size_t p = 0; p < purposes; ++p)
        for (std::size_t d = 0; d < 2; ++d) bytes[p][d] -= o.bytes[p][d];
    denied -= o.denied;
    return *this;
}

std::uint64_t client_totals::sum(direction d) const noexcept
{
    std::uint64_t sum = 0;
    for (const auto& p : bytes) sum += p[d];
    return sum;
}

client_series::client_series(std::vector<const net::client_table*> tables) : tables_{std::move(tables)} {}

void client_series::visit(const net::client_key* key, const net::client_account& account, std::chrono::seconds now)
{
    const auto total = read(account);
    const auto fresh = take_fresh(account, total);
    all_ += total;
    if (key == nullptr) return;
    const bool busy = !fresh.none() || account.active.read() > 0;
    if (const auto known = named_.find(*key); known != named_.end()) {
        auto& s = known->second;
        s.shown += fresh;
        s.moved += fresh.all_bytes(), s.refused += fresh.denied;
        s.active += account.active.read();
        s.last_cut = std::max(s.last_cut, account.last_cut.read());
        if (busy) s.busy = now;
        return;
    }
    // A worker's total far below an equal share of the threshold does not decide; ignoring it keeps the list of candidates short.
    const auto share = 4 * tables_.size();
    const bool notable = total.all_bytes() >= limits::client_series_bytes / share ||
                         total.denied >= std::max<std::uint64_t>(1, limits::client_series_denials / share);
    const bool room = named_.size() < limits::client_series && candidates_.size() < few && !total.none();
    if (!notable && !room && !is_notable(*key) && !candidates_.contains(*key)) return;
    auto& c = candidates_.try_emplace(*key).first->second;
    c.key = *key;
    c.total += total;
    c.fresh += fresh;
    c.busy |= busy;
    c.active += account.active.read();
    c.last_cut = std::max(c.last_cut, account.last_cut.read());
}

void client_series::refresh(std::chrono::seconds now, const addresses& notable)
{
    notable_ = notable;
    all_ = {};
    candidates_.clear();
    for (auto& [key, s] : named_) s.active = 0;
    for (const auto* table : tables_) table->each([&](const net::client_key* key, const net::client_account& a) { visit(key, a, now); });
    give_up_idle(now);
    name_most_active(now);
    other_ = all_;
    other_ -= past_;
    for (const auto& [key, s] : named_) other_ -= s.shown;
}

void client_series::give_up(series_map::iterator at)
{
    past_ += at->second.shown;
    named_.erase(at);
}

void client_series::give_up_idle(std::chrono::seconds now)
{
    for (auto at = named_.begin(); at != named_.end();) {
        const auto next = std::next(at);
        if (now - at->second.busy >= limits::client_idle && !is_notable(at->first)) give_up(at);
        at = next;
    }
}

// A new series starts with what was not yet published under "_other".
void client_series::name(const candidate& c, std::chrono::seconds now)
{
    named_.emplace(c.key, series{c.fresh, c.last_cut, now, c.total.all_bytes(), c.total.denied, c.active});
}

void client_series::name_most_active(std::chrono::seconds now)
{
    std::vector<const candidate*> ranked;
    for (const auto& [key, c] : candidates_)
        if (c.busy || is_notable(key)) ranked.push_back(&c);
    const auto rank = [this](const candidate& c) { return std::tuple{is_notable(c.key), c.total.all_bytes(), c.total.denied}; };
    std::sort(ranked.begin(), ranked.end(), [&](const candidate* a, const candidate* b) { return rank(*a) > rank(*b); });
    for (const auto* c : ranked) {
        const bool room = named_.size() < limits::client_series || (is_notable(c->key) ? make_room_for_notable() : make_room_for(*c));
        if (room) name(*c, now);
        else if (!is_notable(c->key)) return; // the candidates after it would not get room either
    }
}

bool client_series::make_room_for_notable()
{
    auto least = named_.end();
    const auto rank = [](const series& s) { return std::tuple{s.moved, s.refused, s.busy}; };
    for (auto at = named_.begin(); at != named_.end(); ++at)
        if (!is_notable(at->first) && (least == named_.end() || rank(at->second) < rank(least->second))) least = at;
    if (least == named_.end()) return false;
    give_up(least);
    return true;
}

// A client that moved much can replace any client that did not, except limits::client_series_probers clients that were refused often. A
// client that was refused often can replace any that did neither, as long as there are at most that many of them.
bool client_series::make_room_for(const candidate& c)
{
    const bool much = c.total.all_bytes() >= limits::client_series_bytes;
    if (!much && c.total.denied < limits::client_series_denials) return false;
    const auto prober = [](const series& s) { return s.moved < limits::client_series_bytes && s.refused >= limits::client_series_denials; };
    const auto probers =
        static_cast<std::size_t>(std::count_if(named_.begin(), named_.end(), [&](const auto& n) { return prober(n.second); }));
    const bool all_probers_stay = probers < limits::client_series_probers + (much ? 1 : 0);
    if (!much && !all_probers_stay) return false;
    auto least = named_.end();
    const auto rank = [&](const series& s) { return std::tuple{prober(s), s.moved, s.refused, s.busy}; };
    for (auto at = named_.begin(); at != named_.end(); ++at) {
        if (is_notable(at->first) || at->second.moved >= limits::client_series_bytes || (prober(at->second) && all_probers_stay)) continue;
        if (least == named_.end() || rank(at->second) < rank(least->second)) least = at;
    }
    if (least == named_.end()) return false;
    give_up(least);
    return true;
}

} // namespace exeat::ops
