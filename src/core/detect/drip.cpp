#include <exeat/detect/drip.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <cmath>

namespace exeat::detect {

namespace {

constexpr double hour = 3'600;
constexpr double learnt_each_hour = 1.0 / 168; // part of the difference: a time constant of a week
constexpr moment day{86'400};
constexpr int most_hours = 24 * 28; // after a silence of this length nothing is left of what was learnt
constexpr double upwards = 3;       // weight of an hour above the usual one of all clients, which favours busier clients

} // namespace

drip_watch::drip_watch(std::size_t capacity, std::uint64_t seed, const thresholds& than)
    : than_{than}, buckets_{capacity, {seed}}, shared_{limits::detect_entries, {seed}}
{}

void drip_watch::learn(bucket& b, const flow_event& e)
{
    const moment an_hour{3'600};
    if (b.begun && e.at < b.hour_began + an_hour) return;
    auto& of_all = shared_.use({{}, e.entry.id}).usual;
    // At most a bucket a day: an attacker that raises the usual hour, with clients that come and go, gains no more than that.
    if (!b.begun) b.begun = true, b.at = b.hour_began = e.at, b.usual = std::min(of_all, than_.drip_bytes / 24);
    for (int n = 0; e.at >= b.hour_began + an_hour && n < most_hours; ++n) {
        b.usual += learnt_each_hour * (std::min(b.hour, 4 * b.usual + than_.drip_floor) - b.usual);
        const auto more = std::min(b.hour, 4 * of_all + than_.drip_floor) - of_all;
        of_all += learnt_each_hour * (more > 0 ? upwards : 1) * more;
        b.hour = 0;
        b.hour_began += an_hour;
    }
    b.hour_began = std::max(b.hour_began, e.at - an_hour);
}

void drip_watch::see(const flow_event& e, findings& out)
{
    if (e.up == 0 || e.entry.id == 0) return;
    auto& b = buckets_.use({e.client, e.entry.id});
    learn(b, e);
    const auto leaked = (2 * b.usual + than_.drip_floor) / hour * static_cast<double>((e.at - b.at).count());
    const auto up = static_cast<double>(e.up);
    b.level = std::max(0.0, b.level - leaked) + up;
    b.hour += up;
    b.at = e.at;
    // A constant level is not reported again, a doubled one is: otherwise a client with one finding could upload any amount.
    if (const auto bound = std::max(than_.drip_bytes, 2 * b.told_at); b.level > bound) {
        b.told_at = b.level;
        out.push_back({detector::drip, e.client, e.entry, b.level, bound});
    }
    if (b.level < than_.drip_bytes / 2) b.told_at = 0;
    const bool filled = b.level > than_.collusion_bytes;
    if (filled && !b.half_full) share(e, out);
    b.half_full = filled;
}

void drip_watch::share(const flow_event& e, findings& out)
{
    auto& s = shared_.use({{}, e.entry.id});
    auto place = std::find_if(s.clients.begin(), s.clients.end(), [&](const auto& c) { return c.used && c.client == e.client; });
    if (place == s.clients.end()) // the free one, or the one that was filled longest ago
        place = std::min_element(s.clients.begin(), s.clients.end(),
                                 [](const auto& a, const auto& b) { return a.used < b.used || (a.used == b.used && a.at < b.at); });
    *place = {e.client, e.at, true};
    const auto lately = std::count_if(s.clients.begin(), s.clients.end(), [&](const auto& c) { return c.used && c.at + day > e.at; });
    if (static_cast<std::size_t>(lately) >= than_.collusion_clients && s.told.may(e.at, day))
        out.push_back({detector::collusion, e.client, e.entry, static_cast<double>(lately), static_cast<double>(than_.collusion_clients)});
}

} // namespace exeat::detect
