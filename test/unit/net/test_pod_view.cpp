// What a worker knows of pods, and who waits for more.
#include <net/clients/pod_view.hpp>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <doctest/doctest.h>

using namespace exeat;
using namespace exeat::net;

namespace {

struct waiting_room {
    waiting_room() { settings.networks = {*ip_prefix::parse("10.244.0.0/16")}; }
    bool enter(const ip_address& of)
    {
        if (!view.has_room(of)) return false;
        places.emplace_back(view, wake, of);
        return true;
    }
    static ip_address address(std::uint32_t n) { return ip_address::v4(0x0af40000 + n); }

    boost::asio::io_context io;
    reactor events{io};
    waiter wake{events};
    kubernetes_settings settings;
    pod_view view{settings};
    std::deque<pod_view::place> places;
};

} // namespace

TEST_CASE("an address waits so often and no more, and others still can")
{
    waiting_room r;
    for (std::size_t i = 0; i < limits::pod_waits_of_one; ++i) REQUIRE(r.enter(r.address(1)));
    CHECK_FALSE(r.enter(r.address(1)));
    CHECK(r.enter(r.address(2)));
    r.places.pop_front();
    CHECK(r.enter(r.address(1)));
}

TEST_CASE("when all places are taken, an address without one gets that of an address with several")
{
    waiting_room r;
    for (std::uint32_t i = 0; i < limits::pod_waits; ++i) REQUIRE(r.enter(r.address(i / limits::pod_waits_of_one)));
    CHECK_FALSE(r.enter(r.address(0)));
    for (std::uint32_t n = 1'000; n < 1'100; ++n) REQUIRE(r.enter(r.address(n)));
    std::size_t lost = 0;
    for (const auto& p : r.places) lost += p.lost();
    CHECK(lost == 100);
    for (auto p = r.places.end() - 100; p != r.places.end(); ++p) CHECK_FALSE(p->lost());
}

TEST_CASE("a snapshot wakes who waits; what is stale is believed only if the settings say so")
{
    waiting_room r;
    const auto p = std::make_shared<const pod>(pod{.uid = "a"});
    const std::vector<pod_index::change> one{{r.address(7), p}};
    const auto tell = [&](pod_source s) { r.view.adopt(std::make_shared<const pod_snapshot>(pod_snapshot{pod_index{}.with(one), s})); };
    CHECK(r.view.find(r.address(7)) == nullptr);
    CHECK(r.view.source() == pod_source::away); // nothing is known yet
    tell(pod_source::current);
    CHECK(r.view.find(r.address(7)) == p);
    CHECK(r.view.changed());
    CHECK_FALSE(r.view.changed());
    tell(pod_source::stale);
    CHECK(r.view.find(r.address(7)) == nullptr);
    CHECK(r.view.holder(r.address(7)) == p.get());
    r.settings.keeps_stale = true;
    CHECK(r.view.find(r.address(7)) == p);
    CHECK(r.view.covers(r.address(7)));
    CHECK_FALSE(r.view.covers(*ip_address::parse("10.245.0.1")));
}
