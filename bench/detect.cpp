// detect CLIENTS…: what the detectors cost with so many clients, by the kind of record that they are shown. One line of JSON each.
// Each client uses ten hosts of a hundred, every fourth by a wildcard, and every tenth client was refused once: what a research network
// does. From 65,536 clients on every table is full: each client that comes pushes another one out.
#include <net/audit/audit_ring.hpp>
#include <ops/detection/detection.hpp>

#include "loop.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <random>
#include <vector>

namespace exeat::bench {

namespace {

constexpr std::size_t entries = 10, hosts = 100, hosts_each = 10, tunnels = 65'536, at_a_time = 64, rounds = 7;
constexpr std::uint64_t up = 3'500, down = 900'000; // of a tunnel of a package manager
constexpr std::uint64_t held = 1'000'000;           // ids of tunnels that live on begin here

// Of CPU time of this thread: on a shared machine it is not always its turn.
double nanoseconds()
{
    timespec t{};
    if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0) fail("no clock of CPU time");
    return 1e9 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec);
}

class network {
public:
    explicit network(std::size_t clients) : clients_{clients}, watch_{detector_settings{}}
    {
        for (std::size_t c = 0; c < clients_; ++c) meet(c);
    }

    net::audit_record record(net::audit_action action, std::size_t client, std::size_t host)
    {
        net::audit_record r;
        r.action = action;
        r.at = now_ += std::chrono::microseconds{500};
        r.source = ip_address::v4(0x0a000000 + static_cast<std::uint32_t>(client));
        r.rule_id = 2 + host % entries;
        r.rule_purpose = host % entries % 5 == 4 ? purpose::api : purpose::pull;
        r.client = r.source;
        r.by_wildcard = host % 4 == 3;
        r.host = net::bounded_text{fmt::format("host-{:02}.service.example.com", host)};
        return r;
    }
    // Of the n-th tunnel; what tells its progress is another one, which is held.
    net::audit_record of_tunnel(net::audit_action action, std::size_t n)
    {
        const auto client = n * 0x9e3779b97f4a7c15 % clients_;
        auto r = record(action, client, (client * 7 + n % hosts_each) % hosts);
        r.id = action == net::audit_action::progress ? held + n : n;
        const bool moved = action == net::audit_action::progress || action == net::audit_action::close;
        r.upload = moved ? up : 0, r.download = moved ? down : 0;
        if (action == net::audit_action::deny)
            r.verdict = verdict::not_allowed, r.rule_id = 0, r.host = net::bounded_text{"stats.vendor.test"};
        return r;
    }
    void show(const net::audit_record& r) { watch_.see(r, out_); }

private:
    void meet(std::size_t client)
    {
        for (std::size_t h = 0; h < hosts_each; ++h)
            for (const auto action : {net::audit_action::open, net::audit_action::close})
                show(record(action, client, (client * 7 + h) % hosts));
        if (client % 10 != 0) return;
        auto r = record(net::audit_action::deny, client, 0);
        r.verdict = verdict::not_allowed;
        show(r);
    }

    const std::size_t clients_;
    ops::detection watch_;
    std::vector<ops::anomaly_event> out_;
    std::chrono::system_clock::time_point now_{std::chrono::seconds{1'800'000'000}};
};

// Nanoseconds a record, by its action.
using costs = std::array<double, 4>;

costs one_round(network& of)
{
    using enum net::audit_action;
    costs sum{};
    for (std::size_t n = 0; n < tunnels; n += at_a_time)
        for (const auto action : {open, deny, progress, close}) {
            std::vector<net::audit_record> some;
            for (std::size_t i = n; i < n + at_a_time; ++i) some.push_back(of.of_tunnel(action, i));
            const auto began = nanoseconds();
            for (const auto& r : some) of.show(r);
            sum[static_cast<std::size_t>(action)] += (nanoseconds() - began) / static_cast<double>(tunnels);
        }
    return sum;
}

// A few tunnels at a time, as they lie in a ring when the journal comes to it. Of several rounds the quickest: what disturbs a round, such
// as others that use the caches, only ever adds to it.
void report(std::size_t clients)
{
    network of{clients};
    costs best;
    best.fill(1e9);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto now = one_round(of);
        for (std::size_t a = 0; a < best.size(); ++a) best[a] = std::min(best[a], now[a]);
    }
    const auto ns = [&](net::audit_action a) { return best[static_cast<std::size_t>(a)]; };
    using enum net::audit_action;
    fmt::print("{{\"clients\": {}, \"open_ns\": {:.0f}, \"progress_ns\": {:.0f}, \"close_ns\": {:.0f}, \"deny_ns\": {:.0f}}}\n", clients,
               ns(open), ns(progress), ns(close), ns(deny));
}

} // namespace

} // namespace exeat::bench

int main(int argc, char** argv)
{
    for (int i = 1; i < argc; ++i) exeat::bench::report(std::max(1UL, std::strtoul(argv[i], nullptr, 10)));
}
