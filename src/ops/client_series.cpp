#include <ops/client_series.hpp>

#include <algorithm>
#include <utility>

namespace exeat::ops {

namespace {

client_totals read(const net::client_account& a) noexcept
{
    client_totals t;
    for (std::size_t p = 0; p < purposes; ++p) t.bytes[p] = {a.bytes[p].upload.read(), a.bytes[p].download.read()};
    t.denied = a.denied.read();
    return t;
}

// What is new since the last time, and from now on is told.
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

// `share`: how many parts the client's traffic may be in, one per worker.
bool client_series::stands_out(const client_totals& t, std::uint64_t share) const noexcept
{
    return t.all_bytes() >= limits::client_series_bytes / share ||
           t.denied >= std::max<std::uint64_t>(1, limits::client_series_denials / share);
}

void client_series::visit(const net::client_key* key, const net::client_account& account, std::chrono::seconds now)
{
    const auto total = read(account);
    const auto fresh = take_fresh(account, total);
    all_ += total;
    if (key == nullptr) return;
    const bool busy = !fresh.none() || account.active.read() > 0;
    if (const auto known = named_.find(*key); known != named_.end()) {
        known->second.shown += fresh;
        known->second.active += account.active.read();
        known->second.last_cut = std::max(known->second.last_cut, account.last_cut.read());
        if (busy) known->second.busy = now;
        return;
    }
    // A worker's part that is far below an equal share of the threshold does not decide; it keeps the list of candidates short.
    if (full_ || !stands_out(total, 4 * tables_.size())) return;
    auto& c = candidates_.try_emplace(*key).first->second;
    c.key = *key;
    c.total += total;
    c.fresh += fresh;
    c.busy |= busy;
    c.active += account.active.read();
    c.last_cut = std::max(c.last_cut, account.last_cut.read());
}

void client_series::refresh(std::chrono::seconds now)
{
    all_ = {};
    candidates_.clear();
    for (auto& [key, s] : named_) s.active = 0;
    full_ = named_.size() >= limits::client_series; // a place that becomes free now is given next time
    for (const auto* table : tables_) table->each([&](const net::client_key* key, const net::client_account& a) { visit(key, a, now); });
    give_up_idle(now);
    name_largest(now);
    other_ = all_;
    other_ -= past_;
    for (const auto& [key, s] : named_) other_ -= s.shown;
}

void client_series::give_up_idle(std::chrono::seconds now)
{
    for (auto at = named_.begin(); at != named_.end();) {
        if (now - at->second.busy < limits::client_idle) {
            ++at;
            continue;
        }
        past_ += at->second.shown;
        probers_ -= at->second.prober;
        at = named_.erase(at);
    }
}

// A new series begins with what was not told under "_other" before.
void client_series::name_largest(std::chrono::seconds now)
{
    std::vector<const candidate*> ranked;
    for (const auto& [key, c] : candidates_)
        if (c.busy && stands_out(c.total, 1)) ranked.push_back(&c);
    std::sort(ranked.begin(), ranked.end(), [](const candidate* a, const candidate* b) {
        return std::pair{a->total.all_bytes(), a->total.denied} > std::pair{b->total.all_bytes(), b->total.denied};
    });
    for (const auto* c : ranked) {
        if (named_.size() >= limits::client_series) return;
        const bool prober = c->total.all_bytes() < limits::client_series_bytes;
        if (prober && probers_ >= limits::client_series_probers) continue;
        probers_ += prober;
        named_.emplace(c->key, series{c->fresh, c->last_cut, now, prober, c->active});
    }
}

} // namespace exeat::ops
