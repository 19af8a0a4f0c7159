#include <net/audit/audit_ring.hpp>
#include <net/clients/admission.hpp>
#include <net/loop/deadlines.hpp>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <memory>
#include <optional>
#include <vector>

using namespace exeat;
using namespace exeat::net;

TEST_CASE("admission lets in as many as it should, per source and in all, and one that leaves makes room")
{
    admission doors{5, 3};
    const auto a = ip_address::v4(0x0a000001), b = ip_address::v4(0x0a000002);
    std::vector<admission::place> in;
    for (int i = 0; i < 3; ++i) {
        auto p = doors.enter(a);
        REQUIRE(p);
        in.push_back(std::move(*p));
    }
    CHECK_FALSE(doors.enter(a));
    for (int i = 0; i < 2; ++i) {
        auto p = doors.enter(b);
        REQUIRE(p);
        in.push_back(std::move(*p));
    }
    CHECK_FALSE(doors.enter(b)); // full
    CHECK(doors.connections() == 5);
    in.clear();
    CHECK(doors.connections() == 0);
    CHECK(doors.enter(a));
}

TEST_CASE("deadlines wake nobody early, everybody in time, and each once")
{
    boost::asio::io_context io{1};
    reactor r{io};
    deadlines due;
    waiter w{r};
    const auto s = due.add(w);
    due.at(s).due = 10;
    due.sweep(9);
    CHECK_FALSE(due.at(s).passed);
    due.sweep(10);
    CHECK(due.at(s).passed);
    CHECK(due.at(s).due == no_deadline);
    due.remove(s);
    CHECK(due.add(w) == s); // the slot is used again
    CHECK_FALSE(due.at(s).passed);
}

TEST_CASE("a duration in ticks is never shorter than the duration")
{
    using namespace std::chrono_literals;
    CHECK(ticks(1ms) * limits::sweep_interval >= 1ms + limits::sweep_interval);
    CHECK(ticks(10s) * limits::sweep_interval >= 10s);
}

TEST_CASE("the oldest tunnel of a purpose is the one that started first")
{
    boost::asio::io_context io{1};
    reactor r{io};
    deadlines due;
    waiter w{r};
    for (const std::int64_t start : {30, 10, 20}) {
        auto& e = due.at(due.add(w));
        e.purpose = 1;
        e.started = start;
    }
    due.add(w); // relays nothing
    CHECK(due.oldest()[1] == 10);
    CHECK(due.oldest()[0] == 0);
}

TEST_CASE("the audit ring gives back what was put in, in order, and says when it is full")
{
    // On the heap: GCC 12's AddressSanitizer aligns its copy of a frame to 32 octets only (GCC bug 110027), the ring wants 64.
    const auto held = std::make_unique<audit_ring>();
    audit_ring& ring = *held;
    audit_record r;
    std::uint64_t put = 0;
    for (r.id = 0; ring.push(r, limits::audit_reserve); ++r.id) ++put;
    CHECK(put == limits::audit_ring_records - limits::audit_reserve);
    for (; ring.push(r); ++r.id) ++put;
    CHECK(put == limits::audit_ring_records);
    for (std::uint64_t i = 0; i < put; ++i) {
        REQUIRE(ring.front());
        CHECK(ring.front()->id == i);
        ring.pop();
    }
    CHECK(ring.front() == nullptr);
}

TEST_CASE("text in a record is cut at its bound and says so")
{
    const std::string long_text(limits::audit_client_octets + 1, 'a');
    const bounded_text cut{long_text}, whole{std::string_view{long_text}.substr(1)};
    CHECK(cut.cut());
    CHECK(cut.str().size() == limits::audit_client_octets);
    CHECK_FALSE(whole.cut());
    CHECK(bounded_text{cut}.str() == cut.str());
}
