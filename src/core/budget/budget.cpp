#include <exeat/budget/budget.hpp>

#include <algorithm>

namespace exeat {

namespace {
constexpr per_window<std::uint64_t> window_hours{1, 24, 168};
}

void sliding_sums::add(std::uint64_t n) noexcept
{
    for (std::size_t w = 0; w < budget_windows; ++w) cell(w, step(w)) += n, sums_[w] += n;
}

void sliding_sums::advance(budget_minutes now) noexcept
{
    if (now <= now_) return;
    for (std::size_t w = 0; w < budget_windows; ++w) {
        const auto from = step(w), to = now.count() / minutes_each[w];
        const auto gone = std::min<std::int64_t>(to - from, static_cast<std::int64_t>(length[w]));
        for (std::int64_t i = 1; i <= gone; ++i) {
            auto& c = cell(w, from + i);
            sums_[w] -= c;
            c = 0;
        }
    }
    now_ = now;
}

std::array<std::uint64_t, sliding_sums::steps> sliding_sums::written() const noexcept
{
    auto copy = *this;
    std::array<std::uint64_t, steps> out{};
    for (std::size_t w = 0; w < budget_windows; ++w)
        for (std::size_t i = 0; i < length[w]; ++i) out[first[w] + i] = copy.cell(w, step(w) + 1 + static_cast<std::int64_t>(i));
    return out;
}

void sliding_sums::read(const std::array<std::uint64_t, steps>& cells, budget_minutes saved_at) noexcept
{
    now_ = saved_at;
    sums_ = {};
    for (std::size_t w = 0; w < budget_windows; ++w)
        for (std::size_t i = 0; i < length[w]; ++i) {
            const auto n = cells[first[w] + i];
            cell(w, step(w) + 1 + static_cast<std::int64_t>(i)) = n;
            sums_[w] += n;
        }
}

void sliding_sums::raise_to(sliding_sums other) noexcept
{
    const auto now = std::max(now_, other.now_);
    advance(now), other.advance(now);
    sums_ = {};
    for (std::size_t w = 0; w < budget_windows; ++w)
        for (std::size_t i = first[w]; i < first[w] + length[w]; ++i)
            cells_[i] = std::max(cells_[i], other.cells_[i]), sums_[w] += cells_[i];
}

void sliding_sums::gain(sliding_sums before, sliding_sums after) noexcept
{
    const auto now = std::max({now_, before.now_, after.now_});
    advance(now), before.advance(now), after.advance(now);
    for (std::size_t w = 0; w < budget_windows; ++w)
        for (std::size_t i = first[w]; i < first[w] + length[w]; ++i) {
            const auto more = after.cells_[i] - std::min(after.cells_[i], before.cells_[i]);
            cells_[i] += more, sums_[w] += more;
        }
}

void sliding_sums::forgive(budget_window window, std::uint64_t n) noexcept
{
    const auto w = static_cast<std::size_t>(window);
    for (std::size_t i = 0; i < length[w]; ++i) {
        auto& c = cell(w, step(w) + 1 + static_cast<std::int64_t>(i));
        const auto gone = std::min(c, n);
        c -= gone, n -= gone, sums_[w] -= gone;
    }
}

upload_account::upload_account(const upload_limits& to, budget_minutes now, std::optional<budget_minutes> forgot, tally_record* tally)
    : excess_{to.excess}, tally_{tally}, limits_{to}, forgot_{forgot}
{
    settle(now);
}

std::uint64_t upload_account::take(std::uint64_t want, budget_minutes now) noexcept
{
    bool settled = minute_.load(std::memory_order_relaxed) < now.count();
    if (settled) room(now);
    const auto wanted = static_cast<std::int64_t>(std::min(want, unlimited));
    for (auto left = left_.load(std::memory_order_relaxed);;) {
        const auto given = std::clamp<std::int64_t>(left, 0, wanted);
        if (given < wanted && !settled && excess_.load(std::memory_order_relaxed)) {
            settled = true; // downloads since the last settlement may have made room
            room(now);
            left = left_.load(std::memory_order_relaxed);
        } else if (left_.compare_exchange_weak(left, left - given)) {
            if (tally_ != nullptr) tally_->taken.fetch_add(static_cast<std::uint64_t>(given), std::memory_order_relaxed);
            return static_cast<std::uint64_t>(given);
        }
    }
}

std::uint64_t upload_account::room(budget_minutes now) noexcept
{
    const std::lock_guard hold{books_};
    settle(now);
    return static_cast<std::uint64_t>(std::max<std::int64_t>(left_.load(std::memory_order_relaxed), 0));
}

double upload_account::share_used(budget_minutes now) noexcept
{
    constexpr double nearly_all = 0.999;
    const std::lock_guard hold{books_};
    settle(now);
    if (left_.load(std::memory_order_relaxed) <= 0) return 1;
    double out = 0;
    bool limited = false;
    for (std::size_t w = 0; w < budget_windows; ++w) {
        if (limits_.most[w] == unlimited) continue;
        limited = true;
        out = std::max(out, 1 - static_cast<double>(credit(sums_, w, now)) / static_cast<double>(limits_.most[w]));
    }
    if (!limited && sums_.sent.sums()[budget_window::week] > 0) return nearly_all; // restored without limits: one of them may be spent
    return std::clamp(out, 0.0, nearly_all);
}

upload_account::view upload_account::look(budget_minutes now)
{
    const std::lock_guard hold{books_};
    settle(now);
    view out{sums_.sent.sums(), sums_.sent.sums(), {}, limits_};
    for (std::size_t w = 0; w < budget_windows; ++w) {
        if (limits_.excess) out.counted[w] -= std::min(out.counted[w], usual(sums_, w));
        out.assumed[w] = assumed(w, now);
    }
    return out;
}

// The times at which bytes leave a window, or at which a window ends whose earlier uploads were unknown.
std::vector<budget_minutes> upload_account::changes_after(budget_minutes now) const
{
    constexpr per_window<std::int64_t> minutes_each{1, 60, 1440}, steps{61, 25, 8};
    std::vector<budget_minutes> out;
    for (std::size_t w = 0; w < budget_windows; ++w) {
        for (std::int64_t i = 1; i <= steps[w]; ++i) out.emplace_back((now.count() / minutes_each[w] + i) * minutes_each[w]);
        if (const auto end = forgot_.value_or(now) + std::chrono::hours{window_hours[w]}; forgot_ && end > now) out.push_back(end);
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::optional<upload_account::shortage> upload_account::lacks(budget_minutes now)
{
    const std::lock_guard hold{books_};
    settle(now);
    if (left_.load(std::memory_order_relaxed) > 0) return std::nullopt;
    std::size_t tightest = 0;
    for (std::size_t w = 1; w < budget_windows; ++w)
        if (credit(sums_, w, now) < credit(sums_, tightest, now)) tightest = w;
    const auto sent = sums_.sent.sums()[tightest];
    shortage out{static_cast<budget_window>(tightest), sent - std::min(sent, limits_.excess ? usual(sums_, tightest) : 0),
                 assumed(tightest, now), limits_.most[tightest]};
    auto later = sums_;
    for (const auto at : changes_after(now)) {
        later.advance(at);
        const auto room = credit(later, at);
        if (room <= 0) continue;
        out.wait = at - now;
        out.back = static_cast<std::uint64_t>(room);
        break;
    }
    return out;
}

void upload_account::hold_to(const upload_limits& to, budget_minutes now)
{
    const std::lock_guard hold{books_};
    if (limits_ == to) return;
    settle(now);
    limits_ = to;
    excess_.store(to.excess, std::memory_order_relaxed);
    settle(now);
}

upload_account::snapshot upload_account::written(budget_minutes now)
{
    const std::lock_guard hold{books_};
    settle(now);
    return {sums_.sent.written(), sums_.came.written(), sums_.opened.written()};
}

void upload_account::read(const snapshot& s, budget_minutes saved_at, const later& then, budget_minutes now)
{
    const std::lock_guard hold{books_};
    settle(now);
    sums_.sent.read(s.sent, saved_at);
    sums_.came.read(s.down, saved_at);
    sums_.opened.read(s.tunnels, saved_at);
    sums_.sent.advance(then.until);
    sums_.sent.add(then.more);
    settle(now);
}

upload_account::bequest upload_account::leaves(bool only_excess, budget_minutes now)
{
    const std::lock_guard hold{books_};
    settle(now);
    bequest out{sums_.sent, sums_.came, sums_.opened};
    for (std::size_t w = 0; only_excess && w < budget_windows; ++w) out.sent.forgive(static_cast<budget_window>(w), usual(sums_, w));
    return out;
}

void upload_account::inherit(const bequest& before, const bequest& after, budget_minutes now)
{
    const std::lock_guard hold{books_};
    settle(now);
    sums_.sent.gain(before.sent, after.sent);
    sums_.came.gain(before.came, after.came);
    sums_.opened.gain(before.opened, after.opened);
    settle(now);
}

// What is taken in a minute is booked in that minute, because the first take() of the next minute settles before it takes. Bytes that are
// given back after that are lost to the account: the error is on the strict side.
void upload_account::settle(budget_minutes now) noexcept
{
    const auto left = left_.load(); // sequentially consistent with takes and list changes (budget_book.hpp)
    if (settled_ > left) sums_.sent.add(static_cast<std::uint64_t>(settled_ - left));
    sums_.came.add(down_.exchange(0, std::memory_order_relaxed));
    sums_.opened.add(tunnels_.exchange(0, std::memory_order_relaxed));
    sums_.advance(now);
    settled_ = credit(sums_, now);
    left_.fetch_add(settled_ - left, std::memory_order_relaxed); // other threads may have taken meanwhile
    if (minute_.load(std::memory_order_relaxed) < now.count()) minute_.store(now.count(), std::memory_order_relaxed);
}

void upload_account::totals::advance(budget_minutes now) noexcept
{
    for (auto* s : {&sent, &came, &opened}) s->advance(now);
}

std::uint64_t upload_account::usual(const totals& t, std::size_t window) const noexcept
{
    const auto allowance = limits::pull_download_allowance * window_hours[window] * limits_.clients;
    return limits::pull_tunnel_bytes * std::min(t.opened.sums()[window], limits::pull_tunnels[window] * limits_.clients) +
           std::min(t.came.sums()[window] / limits::pull_download_share, allowance);
}

std::uint64_t upload_account::assumed(std::size_t window, budget_minutes now) const noexcept
{
    const auto most = limits_.most[window];
    const bool forgetful = most != unlimited && forgot_ && now - *forgot_ < std::chrono::hours{window_hours[window]};
    return forgetful ? most - most / 2 : 0;
}

std::int64_t upload_account::credit(const totals& t, std::size_t window, budget_minutes now) const noexcept
{
    const auto most = limits_.most[window];
    if (most == unlimited) return static_cast<std::int64_t>(unlimited);
    const auto held_to = most - assumed(window, now) + (limits_.excess ? usual(t, window) : 0);
    return static_cast<std::int64_t>(held_to) - static_cast<std::int64_t>(t.sent.sums()[window]);
}

std::int64_t upload_account::credit(const totals& t, budget_minutes now) const noexcept
{
    auto least = static_cast<std::int64_t>(unlimited);
    for (std::size_t w = 0; w < budget_windows; ++w) least = std::min(least, credit(t, w, now));
    return least;
}

} // namespace exeat
