// The clock by which grants end, beside the time since boot: who sets it gains nothing, and what was set right needs no restart.
#include <net/wall_clock.hpp>

#include <doctest/doctest.h>

using namespace exeat;
using namespace exeat::net;
using namespace std::chrono_literals;

namespace {

constexpr auto day = 24h;

struct machine {
    wall_clock clock;
    std::chrono::seconds boot = 1'000s, set = std::chrono::hours{24 * 365 * 56}; // by which the clock is before the time since boot

    wall_clock::reading read() const { return {wall_time{boot + set}, boot}; }
    wall_time truth() const { return wall_time{boot + std::chrono::hours{24 * 365 * 56}}; }
    std::chrono::seconds look() { return clock.look(read()); }
    // So many seconds with a look in each; what the last one said.
    std::chrono::seconds pass(std::chrono::seconds time)
    {
        auto said = look();
        for (; time > 0s; time -= 1s) boot += 1s, said = look();
        return said;
    }
};

} // namespace

TEST_CASE("a clock that nobody sets is the time, and certain after ten minutes")
{
    machine m;
    CHECK(m.clock.now(m.read()) == m.truth());
    CHECK(m.pass(wall_clock::trial - 1s) == 0s);
    CHECK_FALSE(m.clock.certain(m.read()));
    CHECK(m.pass(1s) == 0s);
    CHECK(m.clock.certain(m.read()) == m.truth());
    m.boot += 8h; // a machine that slept
    CHECK(m.pass(1s) == 0s);
    CHECK(m.clock.now(m.read()) == m.truth());
}

TEST_CASE("a clock that is set forward counts at once, and no longer than it stands there")
{
    machine m;
    m.pass(wall_clock::trial);
    m.set += 400 * day;
    CHECK(m.clock.now(m.read()) == m.truth() + 400 * day);
    CHECK(m.pass(2s) == 400 * day);
    CHECK(m.clock.certain(m.read()) == m.truth());
    m.set -= 400 * day;
    CHECK(m.clock.now(m.read()) == m.truth());
    CHECK(m.pass(1s) == 0s);
}

TEST_CASE("what it has shown for ten minutes is certain, and then the time is never before it")
{
    machine m;
    m.pass(wall_clock::trial);
    m.set += day;
    CHECK(m.pass(wall_clock::trial - 1s) == day);
    CHECK(m.pass(1s) == 0s);
    CHECK(m.clock.certain(m.read()) == m.truth() + day);
    m.set -= day;
    CHECK(m.pass(2 * wall_clock::trial) == -day);
    CHECK(m.clock.now(m.read()) == m.truth() + day);
}

TEST_CASE("a clock that is set to and fro for ten minutes is not certain")
{
    machine m;
    for (int n = 0; n < 4; ++n) {
        m.set += day;
        m.pass(wall_clock::trial / 2);
        m.set -= day;
        m.pass(wall_clock::trial / 2);
    }
    CHECK(m.clock.certain(m.read()).value_or(m.truth()) <= m.truth());
}

TEST_CASE("a clock that is set back does not count, and time goes on as it did")
{
    machine m;
    m.pass(1s);
    m.set -= 10 * day;
    CHECK(m.pass(60s) == -10 * day);
    CHECK(m.clock.now(m.read()) == m.truth());
    m.pass(wall_clock::trial); // it was wrong at the start, then: nothing had been certain
    CHECK(m.look() == 0s);
    CHECK(m.clock.now(m.read()) == m.truth() - 10 * day);
}

TEST_CASE("what an earlier process was certain of goes on from there")
{
    machine m;
    const auto earlier = m.truth() + day;
    m.clock.has_been(earlier, m.read());
    CHECK(m.clock.now(m.read()) == earlier);
    CHECK(m.pass(60s) == -day);
    CHECK(m.clock.now(m.read()) == earlier + 60s);
    m.set += day;
    CHECK(m.pass(1s) == 0s);
}

TEST_CASE("steps of a few seconds are followed")
{
    machine m;
    m.pass(wall_clock::trial);
    m.set += wall_clock::step;
    CHECK(m.pass(1s) == 0s);
    m.set += wall_clock::step + 1s;
    CHECK(m.pass(1s) == wall_clock::step + 1s);
}

TEST_CASE("what ends a restriction goes by the earlier clock, until the two have gone alike for ten minutes")
{
    machine m;
    CHECK(m.clock.earliest(m.read()) == m.truth());
    m.pass(1s);
    m.set += 400 * day;
    CHECK(m.clock.earliest(m.read()) == m.truth());
    m.pass(1s);
    CHECK(m.clock.earliest(m.read()) == m.truth());
    m.set -= 800 * day;
    CHECK(m.clock.earliest(m.read()) == m.truth() - 400 * day);
    m.set += 800 * day;
    m.pass(wall_clock::trial + 1s);
    CHECK(m.clock.earliest(m.read()) == m.truth() + 400 * day);
}
