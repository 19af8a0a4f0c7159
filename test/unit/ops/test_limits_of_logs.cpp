// Bounds of what `replay` and `suggest` keep of a log, at their value and one beyond.
#include "logged_lines.hpp"

#include <ops/offline/narrow_list.hpp>
#include <ops/offline/observed_use.hpp>
#include <ops/offline/replay.hpp>
#include <ops/offline/unused_entries.hpp>

#include <fmt/format.h>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::testing;

namespace {

logged_event event(logged_event::what action, std::uint64_t n)
{
    logged_event e;
    e.action = action;
    e.at = morning;
    e.id = n;
    e.source = ip_address::v4(static_cast<std::uint32_t>(0x0a000000 + n));
    e.group = "lab";
    e.rule = action == logged_event::what::deny ? "" : "entry";
    if (action == logged_event::what::deny) e.verdict = verdict::not_allowed;
    e.host = *hostname::parse(fmt::format("n{}.test", n));
    e.port = 443;
    return e;
}

} // namespace

TEST_CASE("as many tunnels of a log are followed at once as there may be, and of one more the lines are told as untracked")
{
    request_list to;
    logged_traffic traffic{to, wall_time::min()};
    for (std::uint64_t n = 0; n < limits::logged_tunnels; ++n) traffic.take(event(logged_event::what::open, n));
    CHECK(traffic.still_open() == limits::logged_tunnels);
    CHECK(traffic.untracked() == 0);
    traffic.take(event(logged_event::what::open, limits::logged_tunnels));
    CHECK(traffic.still_open() == limits::logged_tunnels);
    CHECK(traffic.untracked() == 1);
}

TEST_CASE("as many changes are listed as there may be, and one more is counted beside them")
{
    const policy nothing;
    replay r{nothing, morning};
    for (std::uint64_t n = 0; n <= limits::replay_rows; ++n) r.request(event(logged_event::what::open, n));
    const auto told = r.finish();
    CHECK(told.rows.size() == limits::replay_rows);
    CHECK(told.beyond.requests == 1);
    CHECK(told.newly_denied == limits::replay_rows + 1);
}

TEST_CASE("as many served targets are kept as there may be, and one more is told as beyond")
{
    observed_use seen;
    for (std::uint64_t n = 0; n < limits::observed_targets; ++n) seen.request(event(logged_event::what::open, n));
    CHECK(seen.beyond() == 0);
    seen.request(event(logged_event::what::open, limits::observed_targets));
    CHECK(seen.beyond() == 1);
    CHECK(seen.served().size() == limits::observed_targets);
}

TEST_CASE("of refused targets beyond those that may be kept the rarest are forgotten, and counted")
{
    observed_use seen;
    auto often = event(logged_event::what::deny, 0);
    for (int i = 0; i < 3; ++i) seen.request(often);
    for (std::uint64_t n = 1; n < limits::observed_refusals; ++n) seen.request(event(logged_event::what::deny, n));
    CHECK(seen.forgotten() == 0);
    CHECK(seen.refused().size() == limits::observed_refusals);
    seen.request(event(logged_event::what::deny, limits::observed_refusals));
    CHECK(seen.forgotten() == limits::observed_refusals - 1);
    CHECK(seen.refused().size() == 2);
}

TEST_CASE("as many uploaders are kept as there may be, and one more is told")
{
    observed_use seen;
    auto e = event(logged_event::what::open, 0);
    const auto handle = seen.request(e);
    for (std::uint64_t n = 0; n <= limits::observed_uploaders; ++n) {
        CHECK_FALSE(seen.uploads_beyond());
        e.source = ip_address::v4(static_cast<std::uint32_t>(0x0a000000 + n));
        seen.moved(handle, e, 1, 0);
    }
    CHECK(seen.uploads_beyond());
}

TEST_CASE("as many candidates are written as there may be, and one more is told")
{
    observed_use seen;
    for (std::uint64_t n = 0; n < limits::candidates; ++n) seen.request(event(logged_event::what::deny, n));
    CHECK(narrow(seen, nullptr, {false, 1}).more_candidates == 0);
    seen.request(event(logged_event::what::deny, limits::candidates));
    const auto list = narrow(seen, nullptr, {false, 1});
    CHECK(list.candidates.size() == limits::candidates);
    CHECK(list.more_candidates == 1);
}

TEST_CASE("a wildcard of as many names as may stand for it is replaceable, and of one more is not")
{
    wildcard_use w;
    w.names.resize(limits::wildcard_replacements);
    CHECK(w.replaceable());
    w.names.emplace_back();
    CHECK_FALSE(w.replaceable());
}
