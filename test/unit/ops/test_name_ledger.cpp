#include "temporary_directory.hpp"

#include <net/upload/upload_permit.hpp>
#include <net/wall_clock.hpp>
#include <ops/state/name_ledger.hpp>
#include <ops/state/name_snapshot.hpp>
#include <ops/text/sealed_bytes.hpp>

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace exeat;
using namespace exeat::ops;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t entry = 7;
constexpr std::uint32_t most = 10;
const auto pod = ip_address::v4(0x0a000001);

std::size_t take(name_budget& b, char kind, std::size_t count)
{
    std::size_t taken = 0;
    for (std::size_t i = 0; i < count; ++i) taken += b.take(pod, entry, kind + std::to_string(i) + ".w.test", most, net::budget_now());
    return taken;
}

// What a process leaves that began with all it should know, and let so many names pass, and others after its last snapshot.
void leave(const temporary_directory& d, std::size_t names, bool clean, std::chrono::minutes ago, std::size_t then = 0)
{
    name_budget b{1, net::budget_now(), false};
    name_journal journal{d.path("names.journal")};
    CHECK_FALSE(journal.begin(false));
    CHECK_FALSE(journal.begin(true));
    b.on_counted([&](const name_budget::counted& c) { journal.append(c, net::wall_now()); });
    CHECK(take(b, 'n', names) == names);
    CHECK_FALSE(journal.begin(true));
    d.write("names", encode({net::wall_now() - ago, clean, b.written(net::budget_now())}));
    CHECK(take(b, 't', then) == then);
}

std::size_t left_after_start(const temporary_directory& d)
{
    const event_log log{log_format::people};
    name_ledger l{d.path(""), log};
    return take(l.names(), 'm', 2 * most);
}

std::string content(const std::string& path)
{
    std::ifstream in{path, std::ios::binary};
    return (std::ostringstream{} << in.rdbuf()).str();
}

bool taken(const name_snapshot& s) { return decode_names(encode(s)).has_value(); }

} // namespace

TEST_CASE("names that were used before a restart are known, and count")
{
    const temporary_directory d;
    leave(d, 3, true, 10min);
    const event_log log{log_format::people};
    name_ledger l{d.path(""), log};
    CHECK(take(l.names(), 'n', 3) == 3);
    CHECK(take(l.names(), 'm', 20) == 7);
    CHECK(take(l.names(), 'n', 4) == 3);
}

TEST_CASE("of names, a clean end is trusted at any age, what a crash left for a short while only, and after that half counts as used")
{
    const temporary_directory d;
    leave(d, 3, true, 23h);
    CHECK(left_after_start(d) == 7);
    leave(d, 3, true, 26h);
    CHECK(left_after_start(d) == 10);
    leave(d, 3, false, 1min);
    CHECK(left_after_start(d) == 7);
    leave(d, 3, false, limits::snapshot_grace + 2min);
    CHECK(left_after_start(d) == 2);
}

TEST_CASE("names that were counted between the last snapshot and a kill are known, and count once")
{
    const temporary_directory d;
    leave(d, 3, false, 0min, 4);
    {
        const event_log log{log_format::people};
        name_ledger l{d.path(""), log};
        CHECK(take(l.names(), 't', 4) == 4);
        CHECK(take(l.names(), 'n', 3) == 3);
        CHECK(take(l.names(), 'm', 20) == 3);
    }
    leave(d, 3, false, 0min, 4);
    std::ofstream{d.path("names.journal"), std::ios::binary | std::ios::app} << "half a record";
    CHECK(left_after_start(d) == 3);
}

TEST_CASE("of names, a crash whose journal is gone or damaged counts as half used")
{
    const temporary_directory d;
    leave(d, 3, false, 0min, 1);
    std::filesystem::remove(d.path("names.journal"));
    CHECK(left_after_start(d) == 2);
    leave(d, 3, false, 0min, 1);
    d.write("names.journal", "exeat-names-journal-2\n");
    CHECK(left_after_start(d) == 2);
    leave(d, 3, false, 0min, 1);
    d.write("names.journal.1", "anything");
    CHECK(left_after_start(d) == 2);
}

TEST_CASE("a journal of names is there whenever a process may be killed, and not where it would lack a name")
{
    const temporary_directory d;
    const auto path = d.path("names.journal");
    const auto known = [&] {
        const auto all = read_names_journal(path);
        return all ? static_cast<int>(all->size()) : -1;
    };
    name_journal j{path};
    j.append({1, 1, 1}, net::wall_now());
    CHECK_FALSE(j.begin(false)); // before the first snapshot
    CHECK(known() == -1);
    j.append({1, 1, 2}, net::wall_now());
    CHECK_FALSE(j.begin(false)); // it failed
    CHECK(known() == -1);
    CHECK_FALSE(j.begin(true));
    CHECK(known() == 1);
    j.append({1, 1, 3}, net::wall_now());
    CHECK_FALSE(j.begin(false)); // the snapshot failed: both are needed
    j.append({1, 1, 4}, net::wall_now());
    CHECK(known() == 3);
    CHECK_FALSE(j.begin(true)); // of the one that is being made now nothing is on disk
    j.append({1, 1, 5}, net::wall_now());
    CHECK(known() == 4);
    CHECK_FALSE(j.begin(true));
    CHECK(known() == 1);
    for (std::size_t i = 0; i <= limits::name_snapshot_bytes / 32; ++i) j.append({1, 1, i}, net::wall_now());
    CHECK(known() == -1);                 // full
    j.append({1, 1, 6}, net::wall_now()); // in no journal
    CHECK_FALSE(j.begin(true));           // of a snapshot that does not have it
    j.append({1, 1, 7}, net::wall_now());
    CHECK(known() == -1);
    CHECK_FALSE(j.begin(true));
    CHECK(known() == 1);
    CHECK(name_journal{d.path("not/there")}.begin(true));
}

TEST_CASE("starts that are killed again and again let a client use no more names than its budget")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    leave(d, 0, true, 0min);
    std::size_t used = 0;
    for (char run = 'a'; run < 'm'; ++run) {
        name_ledger l{d.path(""), log};
        used += take(l.names(), run, 3);
        const auto names = content(d.path("names")), journal = content(d.path("names.journal"));
        l.stop();
        d.write("names", names), d.write("names.journal", journal);
    }
    CHECK(used == most);
}

TEST_CASE("without a snapshot of names, or with one that any byte of was changed or cut off, half counts as used")
{
    const temporary_directory d;
    CHECK(left_after_start(d) == 5);
    CHECK(left_after_start(d) == 5); // this process and the one before have forgotten the same; nothing was left by a clean end
    leave(d, 3, true, 0min);
    const auto good = content(d.path("names"));
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        CHECK_FALSE(decode_names(bad));
        CHECK_FALSE(decode_names(std::string_view{good}.substr(0, i)));
    }
    for (const auto& bad : {good.substr(0, good.size() / 2), content(d.path("names.lock")), std::string{"exeat-uploads-1\n"}}) {
        d.write("names", bad);
        CHECK(left_after_start(d) == 5);
    }
    d.write("names", std::string(limits::name_snapshot_bytes + 1, 'x'));
    CHECK(left_after_start(d) == 5);
}

TEST_CASE("a name ledger writes at once and at its end, and the next one goes on")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    {
        name_ledger l{d.path(""), log};
        CHECK(decode_names(content(d.path("names"))));
        CHECK(take(l.names(), 'n', 20) == 5);
        l.begin();
        l.stop();
        const auto left = decode_names(content(d.path("names")));
        REQUIRE(left);
        CHECK(left->clean);
        CHECK(left->budgets.forgot == 0);
        CHECK(left->budgets.names.size() == 5);
        CHECK(left->budgets.accounts.size() == 1);
    }
    name_ledger again{d.path(""), log};
    CHECK(take(again.names(), 'n', 5) == 5);
    CHECK(take(again.names(), 'm', 20) == 0);
    CHECK_THROWS_AS((name_ledger{d.path("not-there"), log}), std::system_error);
    name_ledger nowhere{{}, log};
    CHECK(take(nowhere.names(), 'n', 20) == 5);
}

TEST_CASE("names that are encoded are decoded as they were")
{
    name_snapshot s;
    s.saved_at = wall_time{29'000'000min};
    s.clean = true;
    s.budgets.seed = 77;
    s.budgets.into_step = 59min;
    s.budgets.forgot = 24;
    for (std::uint32_t n = 0; n < 300; ++n) {
        s.budgets.names.push_back({7 * n, n, static_cast<std::uint8_t>(n % name_budget::steps)});
        auto& a = s.budgets.accounts.emplace_back();
        a.client = n, a.entry = ~n;
        for (std::size_t i = 0; i < a.taken.size(); ++i) a.taken[i] = static_cast<std::uint16_t>(n % 7 * i % 5 + 1);
    }
    const auto again = decode_names(encode(s));
    REQUIRE(again);
    CHECK(again->saved_at == s.saved_at);
    CHECK(again->clean);
    CHECK(again->budgets.seed == 77);
    CHECK(again->budgets.into_step == 59min);
    CHECK(again->budgets.forgot == 24);
    REQUIRE(again->budgets.names.size() == 300);
    REQUIRE(again->budgets.accounts.size() == 300);
    for (std::size_t n = 0; n < 300; ++n) {
        CHECK(again->budgets.names[n].place == s.budgets.names[n].place);
        CHECK(again->budgets.names[n].tag == s.budgets.names[n].tag);
        CHECK(again->budgets.names[n].age == s.budgets.names[n].age);
        CHECK(again->budgets.accounts[n].client == s.budgets.accounts[n].client);
        CHECK(again->budgets.accounts[n].entry == s.budgets.accounts[n].entry);
        CHECK(again->budgets.accounts[n].taken == s.budgets.accounts[n].taken);
    }
}

TEST_CASE("a sealed snapshot of names that no process could have written is none")
{
    name_snapshot good;
    good.budgets.names = {{3, 1, 24}, {limits::name_budget_names - 1, (std::uint64_t{1} << name_budget::tag_bits) - 1, 0}};
    good.budgets.accounts.resize(1);
    good.budgets.accounts[0].taken[24] = limits::wildcard_names_ceiling;
    REQUIRE(taken(good));
    const auto with = [&](auto change) {
        auto s = good;
        change(s);
        return taken(s);
    };
    CHECK_FALSE(with([](auto& s) { s.budgets.names[1].place = 3; }));
    CHECK_FALSE(with([](auto& s) { s.budgets.names[1].place = limits::name_budget_names; }));
    CHECK_FALSE(with([](auto& s) { s.budgets.names[0].tag = std::uint64_t{1} << name_budget::tag_bits; }));
    CHECK_FALSE(with([](auto& s) { s.budgets.names[0].age = name_budget::steps; }));
    CHECK(with([](auto& s) { s.budgets.accounts[0].taken[0] = 1; })); // an heir may have more in all than any entry allows
    CHECK_FALSE(with([](auto& s) { ++s.budgets.accounts[0].taken[24]; }));
    CHECK_FALSE(with([](auto& s) { s.budgets.accounts[0].taken = {}; }));
    CHECK_FALSE(with([](auto& s) { s.budgets.into_step = limits::name_step; }));
    CHECK_FALSE(with([](auto& s) { s.budgets.forgot = name_budget::steps; }));
    CHECK_FALSE(with([](auto& s) { s.saved_at = wall_time{std::chrono::minutes{limits::snapshot_minutes + 1}}; }));
    CHECK(with([](auto& s) { s.saved_at = wall_time{std::chrono::minutes{limits::snapshot_minutes}}; }));
}

TEST_CASE("full tables of names fit what is read, and one more of either is refused")
{
    name_snapshot s;
    for (std::uint32_t n = 0; n < limits::name_budget_names; ++n) s.budgets.names.push_back({n, n, 0});
    for (std::uint32_t n = 0; n < limits::name_budget_counts; ++n) {
        auto& a = s.budgets.accounts.emplace_back();
        a.client = n, a.entry = ~n;
        a.taken.fill(1);
    }
    const auto bytes = encode(s);
    CHECK(bytes.size() <= limits::name_snapshot_bytes);
    CHECK(decode_names(bytes));
    s.budgets.accounts.push_back(s.budgets.accounts.back());
    CHECK_FALSE(taken(s));
}
