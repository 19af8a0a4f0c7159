// What may be sent upstream, and that send_upstream() sends no byte beyond it and counts each.
#include "stage.hpp"

#include <net/judge.hpp>
#include <net/send.hpp>
#include <net/sockets/socket.hpp>

using namespace exeat;
using namespace exeat::net;
using namespace exeat::testing;

namespace {

using on_spent = upload_gate::on_spent;
constexpr budget_minutes minute = limits::budget_epoch;

struct gated {
    explicit gated(std::uint64_t bytes, on_spent action)
    {
        rule r;
        r.name = "entry";
        r.upload = an_hour(bytes);
        gate.hold_to_budgets({book, {*ip_address::parse("10.1.0.7")}, r, {}, minute, 0}, action, false);
    }
    budget_book book{1, minute, {}};
    upload_gate gate;
};

std::shared_ptr<new_host_budget> new_host(std::uint64_t bytes)
{
    return std::make_shared<new_host_budget>(bytes, minute, minute + budget_minutes{60});
}

} // namespace

TEST_CASE("a gate gives what its budget leaves, to the byte, and then the tunnel is spent")
{
    gated g{100, on_spent::cut};
    CHECK(g.gate.take(60, minute) == 60);
    CHECK(g.gate.take(60, minute) == 40);
    CHECK(g.gate.went_over_budget());
    CHECK_FALSE(g.gate.went_over_budget()); // told once
    CHECK(g.gate.take(1, minute) == 0);
    CHECK_FALSE(g.gate.waits());
    g.gate.give_back(5);
    CHECK(g.gate.take(60, minute) == 5);
}

TEST_CASE("a gate under throttle waits, and gives again when the window has slid on")
{
    gated g{100, on_spent::throttle};
    CHECK(g.gate.take(100, minute) == 100);
    CHECK(g.gate.take(1, minute) == 0);
    CHECK(g.gate.waits());
    CHECK(g.gate.take(1, minute + budget_minutes{61}) == 1);
}

TEST_CASE("a gate that only alerts gives everything and tells of it")
{
    for (const auto action : {on_spent::alert, on_spent::report}) {
        gated g{100, action};
        CHECK(g.gate.take(250, minute) == 250);
        CHECK(g.gate.went_over_budget());
        CHECK(g.gate.take(250, minute) == 250);
    }
}

TEST_CASE("what a budget refuses is given back to the throttle and the new host's budget that granted it")
{
    boost::asio::io_context io{1};
    reactor events{io};
    waiter tunnel{events};
    throttle_queue queue;
    gated g{10, on_spent::cut};
    const auto host = new_host(100);
    g.gate.hold_to_findings({}, host, 0, tunnel, queue);
    CHECK(g.gate.take(60, minute) == 10);
    CHECK(host->take(1'000, minute) == 90);
}

TEST_CASE("a spent budget at a new host ends the tunnel where the detector cuts, and else it waits")
{
    for (const bool cuts : {true, false}) {
        boost::asio::io_context io{1};
        reactor events{io};
        waiter tunnel{events};
        throttle_queue queue;
        gated g{1'000, on_spent::cut};
        rule r;
        r.upload = an_hour(1'000);
        g.gate.hold_to_budgets({g.book, {}, r, {}, minute, 0}, on_spent::cut, cuts);
        g.gate.hold_to_findings({}, new_host(50), 0, tunnel, queue);
        CHECK(g.gate.take(80, minute) == 50);
        CHECK(g.gate.take(30, minute) == 0);
        CHECK(g.gate.waits() != cuts);
        CHECK(g.gate.spent_at_new_host());
        CHECK(g.gate.spent_new_host());
        CHECK_FALSE(g.gate.spent_new_host());
    }
}

TEST_CASE("what a tunnel sent before its host's budget was known counts against it")
{
    boost::asio::io_context io{1};
    reactor events{io};
    waiter tunnel{events};
    throttle_queue queue;
    gated g{1'000, on_spent::cut};
    g.gate.hold_to_findings({}, new_host(50), 45, tunnel, queue);
    CHECK(g.gate.take(80, minute) == 5);
}

TEST_CASE("send_upstream writes no byte beyond the gate, and counts each byte that was written")
{
    const small_origin origin;
    auto p = pinned("weights", {"up.test"}, origin.port());
    p.value.upload = an_hour(10'000);
    stage s{compiled({p}, {}, one_group)};
    auto [client_end, client_side] = socket_pair();
    auto [server_end, upstream] = socket_pair();
    auto t = s.tunnel_between(std::move(client_side), std::move(upstream), to("up.test:" + std::to_string(origin.port())));
    account bill{*t, request_mode::connect};
    REQUIRE(judge(*t).has_value());
    REQUIRE(bill.opened() == verdict::allowed);
    const std::string bytes(8'000, 'x');
    const auto first = send_upstream(bill, t->upstream, bytes);
    CHECK(first.what == sent::how::wrote);
    CHECK(first.bytes == 8'000);
    const auto second = send_upstream(bill, t->upstream, bytes);
    CHECK(second.what == sent::how::wrote);
    CHECK(second.bytes == 2'000);
    const auto third = send_upstream(bill, t->upstream, bytes);
    CHECK(third.what == sent::how::spent);
    CHECK(bill.spent().as == ending::budget);
    CHECK(read_now(server_end).size() == 10'000);
    CHECK(s.at.count.rules[2].upload.read() == 10'000);
    CHECK(s.at.count.over_budget[0][0].read() == 1);
    CHECK(bill.bytes() == 10'000);
}

TEST_CASE("what a full or closed upstream does not take goes back to the budget")
{
    const small_origin origin;
    auto p = pinned("weights", {"up.test"}, origin.port());
    p.value.upload = an_hour(64 * 1024 * 1024);
    stage s{compiled({p}, {}, one_group)};
    auto [client_end, client_side] = socket_pair();
    auto [server_end, upstream] = socket_pair();
    auto t = s.tunnel_between(std::move(client_side), std::move(upstream), to("up.test:" + std::to_string(origin.port())));
    account bill{*t, request_mode::connect};
    REQUIRE(judge(*t).has_value());
    REQUIRE(bill.opened() == verdict::allowed);
    t->watch();
    const std::string bytes(1024 * 1024, 'x');
    std::uint64_t written = 0;
    for (int i = 0; i < 64 && t->upstream.writable; ++i) written += send_upstream(bill, t->upstream, bytes).bytes;
    CHECK_FALSE(t->upstream.writable);
    CHECK(written == bill.bytes());
    server_end.reset();
    const auto after = send_upstream(bill, t->upstream, bytes);
    CHECK(after.what == sent::how::failed);
    upload_permit rest{s.uploads, {s.who.source}, *t->decision.rule, {}, s.at.minute(), 0};
    CHECK(rest.take(1ull << 40, s.at.minute()) == 64 * 1024 * 1024 - written);
}
