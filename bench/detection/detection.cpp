// detection [SEEDS [DAYS]]: how soon theft is seen by budgets, detectors and the alerts that add up over replicas, what leaks before it is
// stopped, and how often honest work is taken for it. Honest work is simulated on SEEDS seeds of ten clients over DAYS days, after a week
// that is not counted; each way to steal on a fifth of the seeds. The seeds begin at 1,001: those below were looked at while the generator
// was written, these were not.
#include "world.hpp"

#include <fmt/core.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>

using namespace exeat;
using namespace exeat::bench;

namespace {

constexpr std::uint64_t first_seed = 1'001;
constexpr int warm_up = 8; // days
constexpr double stolen = 140e9;
constexpr std::size_t several = 3; // replicas

bool counts(detect::detector d) { return detect::about(d).how != detect::severity::info; }

void pass_day(world& w)
{
    for (int m = 0; m < 1'440; ++m, w.next_minute())
        for (std::size_t c = 0; c < clients; ++c) w.work(c);
}

void warm(world& w)
{
    for (int d = 0; d < warm_up; ++d) pass_day(w);
    w.alarms().clear();
}

// ---- false alarms

struct rate {
    std::uint64_t events = 0, days = 0;
    double each() const { return static_cast<double>(events) / static_cast<double>(days); }
    // 95 % interval of a Poisson mean (Byar's approximation; the rule of three for none).
    std::pair<double, double> interval() const
    {
        const auto n = static_cast<double>(events), of = static_cast<double>(days);
        if (events == 0) return {0, 3 / of};
        const auto bound = [](double x, double z) { return x * std::pow(1 - 1 / (9 * x) + z / (3 * std::sqrt(x)), 3); };
        return {bound(n, -1.96) / of, bound(n + 1, 1.96) / of};
    }
};

void false_alarms(int seeds, int days, std::size_t replicas)
{
    std::map<std::string, rate> by;
    rate cuts, observed;
    for (int s = 0; s < seeds; ++s) {
        world w{first_seed + static_cast<std::uint64_t>(s), replicas};
        warm(w);
        for (int d = 0; d < days; ++d) pass_day(w);
        for (const auto& a : w.alarms()) {
            auto& of = a.cut ? cuts : observed;
            of.events += a.cut || counts(a.which);
            ++by[fmt::format("{}{}", detect::about(a.which).name, a.cut ? " (cut)" : "")].events;
        }
    }
    cuts.days = observed.days = static_cast<std::uint64_t>(seeds) * static_cast<std::uint64_t>(days) * clients;
    fmt::print("False alarms in {} workload-days ({} seeds){}\n\n| | a workload-day | 95 % | target |\n|---|---|---|---|\n", cuts.days,
               seeds, replicas > 1 ? ", everything over three replicas" : "");
    for (const auto& [name, r, target] : {std::tuple{"cuts", cuts, 0.01}, {"findings (warning, critical)", observed, 0.05}}) {
        const auto [low, high] = r.interval();
        fmt::print("| {} | {:.4f} | {:.4f} to {:.4f} | {} {} |\n", name, r.each(), low, high, target,
                   r.each() <= target ? "met" : "missed");
    }
    for (const auto& [name, r] : by)
        fmt::print("| of it {} | {:.4f} | | |\n", name, static_cast<double>(r.events) / static_cast<double>(cuts.days));
    fmt::print("\n");
}

// ---- theft

enum class restarts : std::uint8_t { none, with_state, without_state }; // each 4 h; the state is a minute old then

struct theft {
    const char* name;
    double each_minute; // octets
    double grows = 1;   // each minute
    std::size_t thieves = 1, pieces = 1, hosts = 1;
    enum restarts restarts = restarts::none;
    std::size_t replicas = 1;
};

struct outcome {
    std::optional<moment> seen, stopped;
    double before_seen = 0, before_stopped = 0, in_all = 0;
};

// A thief's minute: whatever the budgets let out.
double steal(world& w, const theft& t, purpose as, std::size_t thief, double amount, int m)
{
    double out = 0;
    for (std::size_t i = 0; i < t.pieces; ++i) {
        const auto host =
            t.hosts > 1 ? "drop" + std::to_string(static_cast<std::size_t>(m) % t.hosts) + ".models.test" : std::string{"track.test"};
        const bool held = t.pieces == 1 && t.hosts == 1; // one tunnel, dialled anew each hour
        out += static_cast<double>(w.transfer(thief, as, host, static_cast<std::uint64_t>(amount / static_cast<double>(t.pieces)), 2'000,
                                              !held || m % 60 == 59, !held || m % 60 == 0));
    }
    return out;
}

outcome commit(std::uint64_t seed, const theft& t, purpose as, int days)
{
    world w{seed, t.replicas};
    warm(w);
    outcome o;
    const auto began = w.now();
    double amount = t.each_minute / static_cast<double>(t.thieves);
    for (int m = 0; m < days * 1'440; ++m, w.next_minute(), amount *= t.grows) {
        for (std::size_t c = 0; c < clients; ++c) w.work(c);
        if (m % 240 == 238) w.write_state();
        if (m % 240 == 239 && t.restarts != restarts::none) w.restart(t.restarts == restarts::with_state);
        for (std::size_t c = 0; c < t.thieves; ++c) o.in_all += steal(w, t, as, c, amount, m);
        for (const auto& a : w.alarms()) {
            if (a.client >= t.thieves || !(a.cut || counts(a.which))) continue;
            if (!o.seen) o.seen = a.at - began, o.before_seen = o.in_all;
            if (a.cut && !o.stopped) o.stopped = a.at - began, o.before_stopped = o.in_all;
        }
        w.alarms().clear();
        if (o.in_all >= stolen) break;
    }
    return o;
}

double median(std::vector<double> of)
{
    if (of.empty()) return NAN;
    std::sort(of.begin(), of.end());
    return of[of.size() / 2];
}

// Wilson's 95 % interval of k of n.
std::pair<double, double> wilson(double k, double n)
{
    constexpr double z = 1.96;
    const auto p = k / n, middle = p + z * z / (2 * n), width = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)), by = 1 + z * z / n;
    return {std::max(0.0, (middle - width) / by), std::min(1.0, (middle + width) / by)};
}

std::string amount(double octets)
{
    if (std::isnan(octets)) return "–";
    return octets < 1e6   ? fmt::format("{:.0f} kB", octets / 1e3)
           : octets < 1e9 ? fmt::format("{:.1f} MB", octets / 1e6)
                          : fmt::format("{:.1f} GB", octets / 1e9);
}

std::string time(double seconds)
{
    if (std::isnan(seconds)) return "–";
    return seconds < 3'600     ? fmt::format("{:.0f} min", seconds / 60)
           : seconds < 172'800 ? fmt::format("{:.1f} h", seconds / 3'600)
                               : fmt::format("{:.1f} d", seconds / 86'400);
}

void report(const theft& t, purpose as, int seeds, int days)
{
    std::vector<double> seen, leaked, stopped, out;
    for (int s = 0; s < seeds; ++s) {
        const auto o = commit(first_seed + static_cast<std::uint64_t>(s), t, as, days);
        if (o.seen) seen.push_back(static_cast<double>(o.seen->count())), leaked.push_back(o.before_seen);
        if (o.stopped) stopped.push_back(o.before_stopped);
        out.push_back(o.in_all);
    }
    const auto [low, high] = wilson(static_cast<double>(seen.size()), seeds);
    fmt::print("| {} | {} | {:.2f} ({:.2f} to {:.2f}) | {} | {} | {} | {} |\n", t.name, to_string(as),
               static_cast<double>(seen.size()) / seeds, low, high, time(median(seen)), amount(median(leaked)), amount(median(stopped)),
               amount(median(out)));
}

void thefts(int seeds)
{
    constexpr int days = 3;
    const std::vector<theft> all{{"1 GB at 1 Gb/s", 7.5e9},
                                 {"10 MB a minute", 10e6},
                                 {"100 KB a minute", 100e3},
                                 {"10 KB a minute", 10e3},
                                 {"512 KB pieces, four a minute", 2.048e6, 1, 1, 4},
                                 {"100 KB a minute, over 30 names", 100e3, 1, 1, 1, 30},
                                 {"100 KB a minute, a restart each 4 h", 100e3, 1, 1, 1, 1, restarts::with_state},
                                 {"the same, and no state is kept", 100e3, 1, 1, 1, 1, restarts::without_state},
                                 {"a ramp of 3 % an hour from 1 KB", 1e3, 1.0005},
                                 {"1 MB a minute over 8 clients", 1e6, 1, 8},
                                 {"1 GB at 1 Gb/s, over three replicas", 7.5e9, 1, 1, 12, 1, restarts::none, several},
                                 {"100 KB a minute, over three replicas", 100e3, 1, 1, 1, 1, restarts::none, several}};
    fmt::print("Thefts over {} days, on {} seeds each: recall with 95 % interval, and medians\n\n"
               "| theft | purpose | seen | after | leaked until seen | until the budget stopped it | within {} days "
               "|\n|---|---|---|---|---|---|---|\n",
               days, seeds, days);
    for (const auto& t : all)
        for (const auto as : {purpose::pull, purpose::api, purpose::telemetry}) report(t, as, seeds, days);
}

// The promise for api, which no budget cuts at that rate: seen within a day, and little gone by then.
void within_a_day(int seeds)
{
    fmt::print(
        "\n100 KB a minute, on {} seeds: seen within a day, and what had leaked\n\n| purpose | seen within a day | median | most | target "
        "|\n|---|---|---|---|---|\n",
        seeds);
    for (const std::size_t replicas : {std::size_t{1}, several})
        for (const auto as : {purpose::api, purpose::telemetry}) {
            theft drip{"", 100e3};
            drip.replicas = replicas;
            std::vector<double> leaked;
            for (int s = 0; s < seeds; ++s)
                if (const auto o = commit(first_seed + static_cast<std::uint64_t>(s), drip, as, 1); o.seen) leaked.push_back(o.before_seen);
            const auto share = static_cast<double>(leaked.size()) / seeds;
            const auto most = leaked.empty() ? NAN : *std::max_element(leaked.begin(), leaked.end());
            const auto* verdict = share >= 0.95 && most <= 100e6 ? "0.95, 100 MB met" : "0.95, 100 MB missed";
            fmt::print("| {}{} | {:.2f} | {} | {} | {} |\n", to_string(as), replicas > 1 ? ", over three replicas" : "", share,
                       amount(median(leaked)), amount(most), as == purpose::api ? verdict : "–");
        }
}

// ---- days to steal 140 GB

double stolen_a_day(purpose as, double each_minute, int days) { return commit(first_seed, {"", each_minute}, as, days).in_all / days; }

// The highest steady rate that nothing finds in three weeks.
double unseen(purpose as)
{
    double low = 0, high = 200e3;
    for (int i = 0; i < 9; ++i) {
        const auto middle = (low + high) / 2;
        (commit(first_seed, {"", middle}, as, 21).seen ? high : low) = middle;
    }
    return low * 1'440;
}

void days_to_steal()
{
    fmt::print("\nDays to steal 140 GB through one client\n\n| purpose | as fast as the budget lets, seen at once | so slowly that nothing "
               "is found |\n|---|---|---|\n");
    for (const auto as : {purpose::pull, purpose::api, purpose::telemetry})
        fmt::print("| {} | {:.0f} | {:.0f} |\n", to_string(as), stolen / stolen_a_day(as, 10e6, 21), stolen / std::max(1.0, unseen(as)));
}

} // namespace

int main(int argc, char** argv)
{
    const int seeds = argc > 1 ? std::atoi(argv[1]) : 100, days = argc > 2 ? std::atoi(argv[2]) : 10;
    if (seeds < 1 || days < 1) {
        fmt::print(stderr, "usage: detection [SEEDS [DAYS]], both at least 1\n");
        return 2;
    }
    false_alarms(seeds, days, 1);
    false_alarms(seeds, days, several);
    thefts(std::max(1, seeds / 5));
    within_a_day(seeds);
    days_to_steal();
    return 0;
}
