#include <net/audit/audit_writer.hpp>
#include <net/audit/line_sums.hpp>
#include <net/clients/client_rates.hpp>

#include <doctest/doctest.h>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace exeat;
using namespace exeat::net;
using namespace std::chrono_literals;

namespace {

audit_record refused(std::uint32_t n, std::string_view host = "door.test", verdict why = verdict::not_allowed)
{
    audit_record r;
    r.action = audit_action::deny;
    r.source = r.client = ip_address::v4(n);
    r.host = host;
    r.port = 443;
    r.verdict = why;
    return r;
}

audit_record exchange(std::uint32_t n, audit_action action, std::string_view host = "mirror.test", std::uint64_t up = 0)
{
    auto r = refused(n, host, verdict::allowed);
    r.action = action;
    r.mode = request_mode::http;
    r.upload = up;
    r.download = 10 * up;
    return r;
}

std::vector<audit_record> told(line_sums& sums, std::size_t most = ~std::size_t{0})
{
    std::vector<audit_record> out;
    sums.tell(most, [&](const audit_record& r) { return out.push_back(r), true; });
    return out;
}

// A worker's side of the log with a client's share of `lines` a second, ten times as many at once.
struct desk {
    explicit desk(std::size_t lines, std::size_t of_all = 1'000'000)
        : rates{{1'000'000, 1'000'000, 1'000'000, lines}, of_all}, writer{0, *ring, healthy, audit_failure::deny, rates, count}
    {}
    std::vector<audit_record> logged()
    {
        std::vector<audit_record> out;
        for (; ring->front() != nullptr; ring->pop()) out.push_back(*ring->front());
        return out;
    }
    std::unique_ptr<audit_ring> ring = std::make_unique<audit_ring>();
    std::atomic<bool> healthy{true};
    client_rates rates;
    counters count{};
    audit_writer writer;
};

std::uint64_t sum_of(const std::vector<audit_record>& lines, std::uint32_t client, std::string_view host)
{
    std::uint64_t n = 0;
    for (const auto& r : lines)
        if (r.client == ip_address::v4(client) && r.host.str() == host) n += r.stands_for;
    return n;
}

} // namespace

TEST_CASE("a client may do at once what its rate brings in ten seconds, then what it brings, and others are not asked")
{
    client_rates rates{{100, 1'000'000, 7, 3}};
    const auto a = ip_address::v4(1), b = ip_address::v4(2);
    const client_rates::moment start{1h};
    for (int i = 0; i < 1'000; ++i) CHECK(rates.take(client_rate::connections, a, start));
    CHECK_FALSE(rates.take(client_rate::connections, a, start));
    CHECK_FALSE(rates.has(client_rate::connections, a, start));
    CHECK(rates.take(client_rate::connections, b, start));
    CHECK(rates.take(client_rate::refusals, a, start));
    for (int i = 0; i < 50; ++i) CHECK(rates.take(client_rate::connections, a, start + 500ms));
    CHECK_FALSE(rates.take(client_rate::connections, a, start + 500ms));
    for (int i = 0; i < 1'000; ++i) CHECK(rates.take(client_rate::connections, a, start + 1h));
    CHECK_FALSE(rates.take(client_rate::connections, a, start + 1h));
}

TEST_CASE("what is spent without asking is waited for")
{
    client_rates rates{{1, 1, 1, 10}};
    const auto a = ip_address::v4(1);
    const client_rates::moment start{1h};
    rates.spend(client_rate::log_lines, a, start, 120);
    CHECK_FALSE(rates.has(client_rate::log_lines, a, start + 2s));
    CHECK(rates.has(client_rate::log_lines, a, start + 2'100ms));
}

TEST_CASE("workers that take at the same time take no more than there is, but for one each at the limit")
{
    client_rates rates{{1'000, 1, 1, 1}};
    const auto a = ip_address::v4(1);
    const client_rates::moment start{1h};
    std::atomic<int> got{0};
    std::vector<std::thread> workers;
    for (int w = 0; w < 4; ++w)
        workers.emplace_back([&] {
            for (int i = 0; i < 5'000; ++i) got += rates.take(client_rate::connections, a, start);
        });
    for (auto& w : workers) w.join();
    CHECK(got >= 10'000);
    CHECK(got < 10'000 + 4);
    CHECK_FALSE(rates.take(client_rate::connections, a, start));
}

TEST_CASE("denials of one kind share a line that says how many they are, whose they are and where they went")
{
    line_sums sums;
    for (int i = 0; i < 7; ++i) CHECK(sums.add(refused(1)));
    CHECK(sums.add(refused(1, "other.test")));
    CHECK(sums.add(refused(2)));
    CHECK(sums.add(refused(1, "door.test", verdict::port_not_allowed)));
    CHECK(sums.events() == 10);
    const auto said = told(sums);
    REQUIRE(said.size() == 4);
    CHECK((said[0].stands_for == 7 && said[0].client == ip_address::v4(1) && said[0].host.str() == "door.test" && said[0].port == 443));
    CHECK((said[1].stands_for == 1 && said[1].host.str() == "other.test"));
    CHECK((said[2].stands_for == 1 && said[2].client == ip_address::v4(2)));
    CHECK(said[3].verdict == verdict::port_not_allowed);
    CHECK(sums.empty());
    CHECK(told(sums).empty());
}

TEST_CASE("exchanges of one kind share a line with all that they moved")
{
    line_sums sums;
    for (std::uint64_t i = 1; i <= 4; ++i) CHECK(sums.add(exchange(1, audit_action::close, "mirror.test", i)));
    auto cut = exchange(1, audit_action::close, "mirror.test", 100);
    cut.ended = ending::client_reset;
    CHECK(sums.add(cut));
    const auto said = told(sums);
    REQUIRE(said.size() == 2);
    CHECK((said[0].stands_for == 4 && said[0].upload == 10 && said[0].download == 100 && said[0].action == audit_action::close));
    CHECK((said[1].stands_for == 1 && said[1].upload == 100 && said[1].ended == ending::client_reset));
}

TEST_CASE("a client that is refused at more places than have sums of their own is summed without one, and takes no room from others")
{
    line_sums sums;
    const std::uint32_t places = 10'000;
    for (std::uint32_t i = 0; i < places; ++i) CHECK(sums.add(refused(1, "n" + std::to_string(i) + ".test")));
    CHECK(sums.add(refused(2)));
    const auto said = told(sums);
    REQUIRE(said.size() == limits::audit_client_sums + 2);
    CHECK(sum_of(said, 1, "n0.test") == 1);
    CHECK(sum_of(said, 1, "") == places - limits::audit_client_sums);
    CHECK(said[limits::audit_client_sums].port == 0);
    CHECK(sum_of(said, 2, "door.test") == 1);
}

TEST_CASE("the many addresses of one host in IPv6 do not take the room either")
{
    line_sums sums;
    auto r = refused(1);
    r.client = *ip_address::parse("2001:db8::");
    for (int i = 0; i < 1'000; ++i) {
        r.source = *ip_address::parse("2001:db8::" + std::to_string(i + 1));
        CHECK(sums.add(r));
    }
    const auto said = told(sums);
    REQUIRE(said.size() == limits::audit_client_sums + 1);
    CHECK(said.back().source == r.client);
    CHECK(said.back().stands_for == 1'000 - limits::audit_client_sums);
}

TEST_CASE("sums of more clients than there is room for name nobody, and an exchange beyond it is not summed")
{
    line_sums sums;
    const auto most = static_cast<std::uint32_t>(limits::audit_sums);
    for (std::uint32_t n = 1; n <= most + 3; ++n) CHECK(sums.add(refused(n)));
    CHECK_FALSE(sums.add(exchange(1, audit_action::close)));
    const auto said = told(sums);
    REQUIRE(said.size() == most + 1);
    CHECK(said[most - 1].client == ip_address::v4(most));
    CHECK(said.back().client == ip_address{});
    CHECK(said.back().source == ip_address{});
    CHECK(said.back().stands_for == 3);
    CHECK(sums.empty());
}

TEST_CASE("exchanges leave half of the room to denials")
{
    line_sums sums{64};
    std::uint32_t taken = 0;
    for (std::uint32_t n = 1; n <= 64; ++n) taken += sums.add(exchange(n, audit_action::close));
    CHECK(taken == 32);
    taken = 0;
    line_sums of_one{64};
    for (std::uint32_t n = 1; n <= 64; ++n) taken += of_one.add(exchange(1, audit_action::close, "n" + std::to_string(n) + ".test"));
    CHECK(taken == 8);
}

TEST_CASE("a sum that finds no room in the log stays, and those behind it")
{
    line_sums sums;
    for (std::uint32_t n = 1; n <= 3; ++n) sums.add(refused(n));
    sums.tell(10, [](const audit_record& r) { return r.client == ip_address::v4(1); });
    CHECK(sums.events() == 2);
    CHECK(told(sums, 1).size() == 1);
    CHECK(told(sums).size() == 1);
}

TEST_CASE("what a client is refused beyond its share is summed, whatever the reason, and its neighbours' lines are their own")
{
    desk d{1}; // ten lines at once
    const int flood = 5'000;
    for (int i = 0; i < flood; ++i) d.writer.log_denial(refused(1, "n" + std::to_string(i) + ".test"));
    for (int i = 0; i < 30; ++i) d.writer.log_denial(refused(2, "wrong.test", verdict::sni_mismatch));
    d.writer.log_denial(refused(3));
    auto lines = d.logged();
    CHECK(lines.size() == 10 + 10 + 1);
    d.writer.next_second();
    for (const auto& r : d.logged()) lines.push_back(r);
    CHECK(lines.size() == 10 + 10 + 1 + limits::audit_client_sums + 2);
    std::uint64_t his = 0, hers = 0;
    for (const auto& r : lines) {
        if (r.client == ip_address::v4(1)) his += r.stands_for;
        if (r.client == ip_address::v4(2)) hers += r.stands_for;
    }
    CHECK((his == flood && hers == 30));
    CHECK(d.count.audit_summed.read() == flood - 10 + 20);
    CHECK(d.count.audit_dropped.read() == 0);
}

TEST_CASE("when the lines of all are used up, denials are summed by client, and what tells of evasion has lines of its own")
{
    desk d{1'000, 1};
    for (std::uint32_t n = 1; n <= 50; ++n) d.writer.log_denial(refused(n));
    for (int i = 0; i < 30; ++i) d.writer.log_denial(refused(60, "wrong.test", verdict::sni_mismatch));
    auto lines = d.logged();
    CHECK(lines.size() == 1 + 30);
    d.writer.next_second();
    for (const auto& r : d.logged()) lines.push_back(r);
    std::set<std::array<std::uint8_t, 16>> clients;
    for (const auto& r : lines) clients.insert(r.client.octets);
    CHECK(clients.size() == 51);
}

TEST_CASE("while the ring is nearly full denials are summed, and neither evasion nor tunnels miss their lines")
{
    desk d{1'000'000};
    for (std::size_t i = 0; i < 2 * limits::audit_ring_records; ++i) d.writer.log_denial(refused(1));
    for (int i = 0; i < 30; ++i) d.writer.log_denial(refused(2, "wrong.test", verdict::sni_mismatch));
    CHECK(d.writer.log(exchange(3, audit_action::open), limits::audit_reserve));
    const auto lines = d.logged();
    CHECK(lines.size() == limits::audit_ring_records - limits::audit_denial_reserve + 30 + 1);
    d.writer.next_second();
    const auto rest = d.logged();
    REQUIRE(rest.size() == 1);
    CHECK(rest[0].stands_for == limits::audit_ring_records + limits::audit_denial_reserve);
}

TEST_CASE("so many sums a second get their lines, and at the end all of them")
{
    desk d{1};
    const auto clients = static_cast<std::uint32_t>(limits::audit_sum_lines + 10);
    for (std::uint32_t n = 1; n <= clients; ++n)
        for (int i = 0; i < 12; ++i) d.writer.log_denial(refused(n));
    CHECK(d.logged().size() == 10 * clients);
    d.writer.next_second();
    CHECK(d.logged().size() == limits::audit_sum_lines);
    d.writer.end();
    const auto last = d.logged();
    REQUIRE(last.size() == 10);
    CHECK(last[0].stands_for == 2);
}

TEST_CASE("an exchange beyond its client's share is summed, but the first one with a host has lines of its own or is refused")
{
    using enum audit_writer::exchange_lines;
    desk d{1}; // ten lines: five exchanges
    for (int i = 0; i < 5; ++i) CHECK(d.writer.begin_exchange(exchange(1, audit_action::open)) == own);
    CHECK(d.logged().size() == 5);
    CHECK(d.writer.begin_exchange(exchange(1, audit_action::open)) == summed);
    CHECK(d.writer.begin_exchange(exchange(1, audit_action::open, "new.test")) == over_rate);
    CHECK(d.writer.begin_exchange(exchange(2, audit_action::open)) == own);
    CHECK(d.logged().size() == 1);
    for (std::uint64_t up = 1; up <= 3; ++up) d.writer.end_exchange(exchange(1, audit_action::close, "mirror.test", up));
    CHECK(d.logged().empty());
    d.writer.next_second();
    const auto lines = d.logged();
    REQUIRE(lines.size() == 1);
    CHECK((lines[0].stands_for == 3 && lines[0].upload == 6 && lines[0].host.str() == "mirror.test"));
}

TEST_CASE("hosts that a client has met are remembered, so many of them at least")
{
    using enum audit_writer::exchange_lines;
    desk d{1'000'000, 1};
    std::size_t known = 0;
    const std::size_t hosts = limits::audit_contacts / 64;
    const auto host = [](std::size_t i) { return "h" + std::to_string(i) + ".test"; };
    for (std::size_t i = 0; i < hosts; ++i) known += d.writer.begin_exchange(exchange(1, audit_action::open, host(i))) == own;
    CHECK(known == hosts);
    known = 0;
    for (std::size_t i = 0; i < hosts; ++i) known += d.writer.begin_exchange(exchange(1, audit_action::open, host(i))) == summed;
    CHECK(known > hosts * 9 / 10); // two whose hashes meet forget each other
}
