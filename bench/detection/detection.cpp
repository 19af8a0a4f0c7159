// detection [SEEDS [DAYS]]: how soon theft is seen by budgets, detectors and the alerts that add up over replicas, what leaks before it is
// stopped, and how often honest work is taken for it. Honest work is simulated on SEEDS seeds of ten clients over DAYS days, after a week
// that is not counted; each way to steal on a fifth of the seeds. The seeds begin at 2,001: those below were looked at while the generator
// was written, these were not.
#include "figures.hpp"
#include "world.hpp"

#include <fmt/core.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <tuple>

using namespace exeat;
using namespace exeat::bench;

namespace {

constexpr std::uint64_t first_seed = 2'001;
constexpr int warm_up = 8; // days
constexpr double stolen = 140e9;
constexpr std::size_t several = 3; // replicas

bool cuts(const sighting& a) { return a.by == sighting::by::budget; }
bool counts(const sighting& a) { return detect::about(a.which).how != detect::severity::info; }

void pass_day(world& w)
{
    for (int m = 0; m < 1'440; ++m, w.next_minute())
        for (std::size_t c = 0; c < clients; ++c) w.work(c);
}

void warm(world& w)
{
    for (int d = 0; d < warm_up; ++d) pass_day(w);
    w.sightings().clear();
}

// ---- false alarms

struct circumstances {
    const char* name;
    std::size_t replicas = 1;
    bool new_each_day = false; // the clients
};

void false_alarms(int seeds, int days, const circumstances& at)
{
    std::map<std::string, rate> by;
    rate cut, observed;
    for (int s = 0; s < seeds; ++s) {
        world w{first_seed + static_cast<std::uint64_t>(s), at.replicas};
        warm(w);
        for (int d = 0; d < days; ++d) {
            if (at.new_each_day) w.replace_clients();
            pass_day(w);
        }
        for (const auto& a : w.sightings()) {
            (cuts(a) ? cut : observed).events += counts(a);
            constexpr std::array how{"", " (alert)", " (cut)"};
            ++by[fmt::format("{}{}", detect::about(a.which).name, how[static_cast<std::size_t>(a.by)])].events;
        }
    }
    cut.days = observed.days = static_cast<std::uint64_t>(seeds) * static_cast<std::uint64_t>(days) * clients;
    fmt::print("False alarms in {} workload-days ({} seeds), {}\n\n| | a workload-day | 95 % | target |\n|---|---|---|---|\n", cut.days,
               seeds, at.name);
    for (const auto& [name, r, target] : {std::tuple{"cuts", cut, 0.01}, {"findings (warning, critical)", observed, 0.05}}) {
        const auto [low, high] = r.interval();
        fmt::print("| {} | {:.4f} | {:.4f} to {:.4f} | {} {} |\n", name, r.each(), low, high, target,
                   r.each() <= target ? "met" : "missed");
    }
    for (const auto& [name, r] : by)
        fmt::print("| of it {} | {:.4f} | | |\n", name, static_cast<double>(r.events) / static_cast<double>(cut.days));
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
    bool newcomers = false; // all clients are new when it begins
    bool regular = true;    // a held tunnel is dialled anew each hour; else so often, but at no regular distance
};

struct outcome {
    std::optional<moment> seen, stopped;
    double before_seen = 0, before_stopped = 0, in_all = 0;
};

bool dials_anew(const theft& t, int m)
{
    const auto minute = static_cast<std::uint64_t>(m);
    return m == 0 || (t.regular ? minute : minute * 0x9e3779b97f4a7c15 >> 32) % 60 == 0;
}

// A thief's minute: whatever the budgets let out.
double steal(world& w, const theft& t, purpose as, std::size_t thief, double amount, int m)
{
    double out = 0;
    for (std::size_t i = 0; i < t.pieces; ++i) {
        const auto host =
            t.hosts > 1 ? "drop" + std::to_string(static_cast<std::size_t>(m) % t.hosts) + ".models.test" : std::string{"track.test"};
        const bool held = t.pieces == 1 && t.hosts == 1;
        out += static_cast<double>(w.transfer(thief, as, host, static_cast<std::uint64_t>(amount / static_cast<double>(t.pieces)), 2'000,
                                              !held || dials_anew(t, m + 1), !held || dials_anew(t, m)));
    }
    return out;
}

// Minute by minute: honest work, and what the circumstances of the theft are beside it.
template <class Each> void live(std::uint64_t seed, const theft& t, int days, Each each)
{
    world w{seed, t.replicas};
    warm(w);
    if (t.newcomers) w.replace_clients();
    for (int m = 0; m < days * 1'440; ++m, w.next_minute()) {
        for (std::size_t c = 0; c < clients; ++c) w.work(c);
        if (m % 240 == 238) w.write_state();
        if (m % 240 == 239 && t.restarts != restarts::none) w.restart(t.restarts == restarts::with_state);
        if (!each(w, m)) break;
        w.sightings().clear();
    }
}

// What is found of the clients without any theft.
const std::vector<sighting>& honest(std::uint64_t seed, const theft& t, int days)
{
    static std::map<std::tuple<std::uint64_t, std::size_t, bool, enum restarts, int>, std::vector<sighting>> known;
    const auto [at, fresh] = known.try_emplace({seed, t.replicas, t.newcomers, t.restarts, days});
    if (fresh)
        live(seed, t, days, [&](world& w, int) {
            at->second.insert(at->second.end(), w.sightings().begin(), w.sightings().end());
            return true;
        });
    return at->second;
}

// Sees a theft when a client has more sightings of a kind than it would have by then without.
class eyes {
public:
    explicit eyes(const std::vector<sighting>& without) : without_{without} {}

    bool more(const sighting& s)
    {
        const auto same = [&](const sighting& o) { return o.at <= s.at && o.client == s.client && o.which == s.which && o.by == s.by; };
        return ++with_[{s.client, s.which, s.by}] > std::count_if(without_.begin(), without_.end(), same);
    }

private:
    const std::vector<sighting>& without_;
    std::map<std::tuple<std::size_t, detect::detector, enum sighting::by>, std::ptrdiff_t> with_;
};

outcome commit(std::uint64_t seed, const theft& t, purpose as, int days)
{
    outcome o;
    eyes watching{honest(seed, t, days)};
    std::optional<moment> began;
    double amount = t.each_minute / static_cast<double>(t.thieves);
    live(seed, t, days, [&](world& w, int m) {
        if (!began) began = w.now();
        for (std::size_t c = 0; c < t.thieves; ++c) o.in_all += steal(w, t, as, c, amount, m);
        amount *= t.grows;
        for (const auto& s : w.sightings()) {
            if (s.client >= t.thieves || !counts(s) || !watching.more(s)) continue;
            if (!o.seen) o.seen = s.at - *began, o.before_seen = o.in_all;
            if (cuts(s) && !o.stopped) o.stopped = s.at - *began, o.before_stopped = o.in_all;
        }
        return o.in_all < stolen;
    });
    return o;
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
                                 {"100 KB a minute, over three replicas", 100e3, 1, 1, 1, 1, restarts::none, several},
                                 {"100 KB a minute, by clients that are new", 100e3, 1, 1, 1, 1, restarts::none, 1, true}};
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
    for (const auto& [what, replicas, newcomers] :
         {std::tuple{"", std::size_t{1}, false}, {", over three replicas", several, false}, {", by clients that are new", 1, true}})
        for (const auto as : {purpose::api, purpose::telemetry}) {
            theft drip{"", 100e3};
            drip.replicas = replicas, drip.newcomers = newcomers;
            std::vector<double> leaked;
            for (int s = 0; s < seeds; ++s)
                if (const auto o = commit(first_seed + static_cast<std::uint64_t>(s), drip, as, 1); o.seen) leaked.push_back(o.before_seen);
            const auto share = static_cast<double>(leaked.size()) / seeds;
            const auto most = leaked.empty() ? NAN : *std::max_element(leaked.begin(), leaked.end());
            const auto* verdict = share >= 0.95 && most <= 100e6 ? "0.95, 100 MB met" : "0.95, 100 MB missed";
            fmt::print("| {}{} | {:.2f} | {} | {} | {} |\n", to_string(as), what, share, amount(median(leaked)), amount(most),
                       as == purpose::api ? verdict : "–");
        }
}

// ---- days to steal 140 GB

double stolen_a_day(purpose as, double each_minute, int days) { return commit(first_seed, {"", each_minute}, as, days).in_all / days; }

// The highest steady rate that three weeks do not show.
double unseen(std::uint64_t seed, purpose as)
{
    double low = 0, high = 200e3;
    for (int i = 0; i < 9; ++i) {
        theft slow{"", (low + high) / 2};
        slow.regular = false;
        (commit(seed, slow, as, 21).seen ? high : low) = slow.each_minute;
    }
    return low * 1'440;
}

double unseen(purpose as)
{
    std::vector<double> of;
    for (std::uint64_t s = 0; s < 3; ++s) of.push_back(unseen(first_seed + s, as));
    return median(of);
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
    for (const auto& at : {circumstances{"clients that have worked there for a week"},
                           circumstances{"the same over three replicas", several}, circumstances{"clients that are new each day", 1, true},
                           circumstances{"clients that are new each day, over three replicas", several, true}})
        false_alarms(seeds, days, at);
    thefts(std::max(1, seeds / 5));
    within_a_day(seeds);
    days_to_steal();
    return 0;
}
