#include "temporary_directory.hpp"

#include <net/upload/upload_permit.hpp>
#include <net/wall_clock.hpp>
#include <ops/evidence/audit_anchor.hpp>
#include <ops/files/replace_file.hpp>
#include <ops/state/upload_ledger.hpp>
#include <ops/state/upload_snapshot.hpp>
#include <ops/text/utc.hpp>

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

using namespace exeat;
using namespace exeat::ops;
using namespace std::chrono_literals;

namespace {

constexpr upload_limits hourly{{1'000, unlimited, unlimited}, false};
const budget_key somebody{budget_key::scope::client_at_entry, ip_address::v4(0x0a000001), budget_key::id_of("e")};

budget_book::handle account_of(upload_ledger& l) { return l.book().open(somebody, hourly, net::budget_now()); }

std::string content(const std::string& path)
{
    std::ifstream in{path, std::ios::binary};
    return (std::ostringstream{} << in.rdbuf()).str();
}

// What a process leaves that sent so much, and so much again after its last snapshot.
void leave(const temporary_directory& d, std::uint64_t sent, bool clean, std::chrono::minutes ago, std::uint64_t then = 0)
{
    std::string left;
    {
        tally_file tally;
        REQUIRE_FALSE(tally.attach(d.path("uploads.tally")));
        budget_book book{1, net::budget_now(), {}, &tally.tally()};
        auto account = book.open(somebody, hourly, net::budget_now());
        account->take(sent, net::budget_now());
        auto s = snapshot_of(book, net::budget_now(), clean);
        s.saved_at = net::wall_now() - ago;
        s.run = tally.run();
        d.write("uploads", encode(s));
        account->take(then, net::budget_now());
        left = content(d.path("uploads.tally"));
    }
    d.write("uploads.tally", left); // as a process that is killed leaves it: the book's end gave the records back
}

std::uint64_t left_after_start(const state_directory& d)
{
    const event_log log{log_format::people};
    upload_ledger l{d, log};
    return account_of(l)->room(net::budget_now());
}

std::uint64_t left_after_start(const temporary_directory& d) { return left_after_start(state_directory{d.path("")}); }

} // namespace

TEST_CASE("what was sent before a restart still counts")
{
    const temporary_directory d;
    leave(d, 300, true, 10min);
    CHECK(left_after_start(d) == 700);
}

TEST_CASE("what was sent between the last snapshot and a kill counts, of accounts that the snapshot has and of others")
{
    const temporary_directory d;
    leave(d, 300, false, 0min, 250);
    CHECK(left_after_start(d) == 450);
    leave(d, 0, false, 0min, 250);
    CHECK(left_after_start(d) == 750);
    leave(d, 300, true, 0min, 250); // a clean end comes after all of it, so its tally has nothing more in truth
    CHECK(left_after_start(d) == 700);
}

TEST_CASE("a crash whose tally is gone, of another run or damaged counts as half spent")
{
    const temporary_directory d;
    const auto left_with = [&](auto change) {
        leave(d, 300, false, 0min, 100);
        change(d.path("uploads.tally"));
        return left_after_start(d);
    };
    CHECK(left_with([](const auto&) {}) == 600);
    CHECK(left_with([](const auto& path) { std::filesystem::remove(path); }) == 200);
    CHECK(left_with([](const auto& path) { std::filesystem::resize_file(path, tally_bytes() - 1); }) == 200);
    CHECK(left_with([](const auto& path) { std::filesystem::resize_file(path, tally_bytes() + 1); }) == 200);
    for (const std::size_t at : {0, 15, 16}) { // of the format, of the run
        CHECK(left_with([&](const auto& path) {
                  auto bytes = content(path);
                  bytes[at] = static_cast<char>(bytes[at] ^ 2);
                  std::ofstream{path, std::ios::binary} << bytes;
              }) == 200);
    }
}

TEST_CASE("a start that is killed again and again lets out no more than the budget")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    leave(d, 0, true, 0min);
    std::uint64_t sent = 0;
    for (int run = 0; run < 12; ++run) {
        std::string uploads, tally;
        {
            upload_ledger l{state_directory{d.path("")}, log};
            sent += account_of(l)->take(300, net::budget_now());
            uploads = content(d.path("uploads")), tally = content(d.path("uploads.tally"));
        }
        d.write("uploads", uploads), d.write("uploads.tally", tally);
    }
    CHECK(sent == 1'000);
}

TEST_CASE("a clean end is trusted at any age, what a crash left for a short while only, and after that half counts as spent")
{
    const temporary_directory d;
    leave(d, 300, true, 50min);
    CHECK(left_after_start(d) == 700);
    leave(d, 300, false, 1min);
    CHECK(left_after_start(d) == 700);
    leave(d, 300, false, limits::snapshot_grace + 2min);
    CHECK(left_after_start(d) == 200);
}

TEST_CASE("without a snapshot, or with one that any byte of was changed or cut off, half counts as spent")
{
    const temporary_directory d;
    CHECK(left_after_start(d) == 500);
    leave(d, 300, true, 0min);
    const auto good = content(d.path("uploads"));
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        CHECK_FALSE(decode_uploads(bad));
        CHECK_FALSE(decode_uploads(std::string_view{good}.substr(0, i)));
    }
    d.write("uploads", good.substr(0, good.size() / 2));
    CHECK(left_after_start(d) == 500);
}

TEST_CASE("a snapshot that the audit log goes on after was put back, and counts as half spent")
{
    const temporary_directory d;
    state_directory s{d.path("")};
    s.last_logged = net::wall_now() - 20min;
    leave(d, 300, true, 20min);
    CHECK(left_after_start(s) == 700);
    leave(d, 300, true, 50min);
    CHECK(left_after_start(s) == 200);
    leave(d, 300, true, 20min + limits::snapshot_grace + 1min);
    CHECK(left_after_start(s) == 200);
}

TEST_CASE("with a key, only what was sealed with it is believed")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    const auto with = [&](const std::string& key) {
        state_directory s{d.path("")};
        s.key = key;
        return s;
    };
    const std::string key(32, 'k'), other(32, 'o');
    leave(d, 0, true, 0min); // by anybody
    CHECK(left_after_start(with(key)) == 500);
    leave(d, 0, true, 0min);
    {
        upload_ledger of_nobody{d.path(""), log}; // begins with what is there
        of_nobody.begin();
        of_nobody.stop();
    }
    std::filesystem::remove(d.path("uploads"));
    {
        upload_ledger l{with(key), log};
        l.begin();
        account_of(l)->take(100, net::budget_now());
        l.stop();
    }
    const auto sealed = content(d.path("uploads"));
    CHECK(left_after_start(with(key)) == 400);
    d.write("uploads", sealed);
    CHECK(left_after_start(with(other)) == 500);
    d.write("uploads", sealed);
    CHECK(left_after_start(d) == 500); // nor is it one without a key
    for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{32}, sealed.size() - 1}) {
        d.write("uploads", sealed.substr(0, size));
        CHECK(left_after_start(with(key)) == 500);
    }
}

TEST_CASE("the key of the state is a credential, and a short one is none")
{
    const temporary_directory d;
    config c;
    c.state = d.path("");
    c.audit_path = d.write("audit.jsonl",
                           "{\"@timestamp\":\"2026-01-01T00:00:00.1Z\"}\n{\"@timestamp\":\"2026-12-24T00:00:00.123Z\",\"n\":1}\n{\"@times");
    ::setenv("CREDENTIALS_DIRECTORY", d.path("").c_str(), 1);
    CHECK(open_state(c).key.empty());
    REQUIRE(open_state(c).last_logged);
    CHECK(utc(*open_state(c).last_logged) == "2026-12-24T00:00:00Z");
    d.write(state_key_credential, std::string(31, 'k'));
    CHECK_THROWS_AS(open_state(c), std::runtime_error);
    d.write(state_key_credential, std::string(32, 'k'));
    CHECK(open_state(c).key == std::string(32, 'k'));
    ::unsetenv("CREDENTIALS_DIRECTORY");
    CHECK(open_state(c).key.empty());
    for (const auto* text : {"", "no log\n", "{\"@timestamp\":\"yesterday\"}\n", "{\"@timestamp\":\"2026-"}) {
        d.write("audit.jsonl", text);
        CHECK_FALSE(open_state(c).last_logged);
    }
    c.audit_path = "stdout";
    CHECK_FALSE(open_state(c).last_logged);
}

TEST_CASE("the last run's end is known by the anchor of its log where that was rotated right before")
{
    const temporary_directory d;
    config c;
    c.state = d.path("");
    c.audit_path = d.path("audit.jsonl");
    CHECK_FALSE(open_state(c).last_logged);
    const audit_anchor at_the_end{7, std::string(64, 'a'), net::wall_now() - 20min, "host", c.audit_path};
    d.write(anchor_name(c.audit_path), encode(at_the_end));
    CHECK(open_state(c).last_logged == at_the_end.at);
    leave(d, 300, true, 20min);
    CHECK(left_after_start(open_state(c)) == 700);
    leave(d, 300, true, 50min); // older than the anchor: put back
    CHECK(left_after_start(open_state(c)) == 200);
    d.write("audit.jsonl", "{\"@timestamp\":\"2026-01-01T00:00:00.1Z\"}\n"); // older than the anchor
    CHECK(open_state(c).last_logged == at_the_end.at);
    d.write(anchor_name(c.audit_path), encode(at_the_end).substr(1));
    CHECK(utc(*open_state(c).last_logged) == "2026-01-01T00:00:00Z");
}

TEST_CASE("what a start did not know, the starts after it do not know either")
{
    const temporary_directory d;
    CHECK(left_after_start(d) == 500);
    CHECK(left_after_start(d) == 500);
    auto s = decode_uploads(content(d.path("uploads")));
    REQUIRE(s);
    CHECK(s->forgot);
    s->forgot = 59min;
    s->clean = true;
    d.write("uploads", encode(*s));
    CHECK(left_after_start(d) == 500);
    s->forgot = 60min; // the hour is over
    d.write("uploads", encode(*s));
    CHECK(left_after_start(d) == 1'000);
}

TEST_CASE("what is encoded is decoded as it was, every step of every account")
{
    upload_snapshot s;
    s.saved_at = wall_time{29'000'000min};
    s.forgot = 17min;
    s.clean = true;
    for (std::uint64_t n = 0; n < 300; ++n) {
        auto& a = s.accounts.emplace_back();
        a.key = {static_cast<budget_key::scope>(n % 3), ip_address::v4(static_cast<std::uint32_t>(n)), n * 7};
        for (std::size_t i = 0; i < sliding_sums::steps; ++i)
            a.sums.sent[i] = n * i, a.sums.down[i] = i % 2 * n, a.sums.tunnels[i] = i / 50;
    }
    const auto again = decode_uploads(encode(s));
    REQUIRE(again);
    CHECK(again->saved_at == s.saved_at);
    CHECK(again->clean);
    CHECK(again->forgot == 17min);
    REQUIRE(again->accounts.size() == s.accounts.size());
    for (std::size_t n = 0; n < s.accounts.size(); ++n) {
        CHECK(again->accounts[n].key == s.accounts[n].key);
        CHECK(again->accounts[n].sums.sent == s.accounts[n].sums.sent);
        CHECK(again->accounts[n].sums.down == s.accounts[n].sums.down);
        CHECK(again->accounts[n].sums.tunnels == s.accounts[n].sums.tunnels);
    }
}

TEST_CASE("a snapshot of as many accounts as there may be is read, and of one more is not")
{
    upload_snapshot s;
    s.accounts.resize(limits::budget_accounts);
    CHECK(decode_uploads(encode(s)));
    s.accounts.emplace_back();
    CHECK_FALSE(decode_uploads(encode(s)));
}

TEST_CASE("a snapshot may be of the last minute that there is and of no later one")
{
    upload_snapshot s;
    s.saved_at = wall_time{std::chrono::minutes{limits::snapshot_minutes}};
    CHECK(decode_uploads(encode(s)));
    s.saved_at += 1min;
    CHECK_FALSE(decode_uploads(encode(s)));
}

TEST_CASE("what addresses of one client used before a restart is the client's, and what others used is not")
{
    const auto key = [](const char* a) {
        return budget_key{budget_key::scope::client_at_entry, *ip_address::parse(a), budget_key::id_of("e")};
    };
    const temporary_directory d;
    const event_log log{log_format::people};
    budget_book book{1, net::budget_now(), {}};
    for (const auto* a : {"2001:db8:1::1", "2001:db8:1::2", "2001:db8:1:0:ffff::", "2001:db8:2::1", "10.0.0.1", "10.0.0.2"})
        book.open(key(a), hourly, net::budget_now())->take(100, net::budget_now());
    auto s = snapshot_of(book, net::budget_now(), true);
    s.saved_at = net::wall_now();
    d.write("uploads", encode(s));
    upload_ledger l{d.path(""), log, 64};
    const auto room = [&](const char* a) { return l.book().open(key(a), hourly, net::budget_now())->room(net::budget_now()); };
    CHECK(room("2001:db8:1::") == 700);
    CHECK(room("2001:db8:2::") == 900);
    CHECK(room("10.0.0.1") == 900);
    CHECK(room("10.0.0.2") == 900);
    CHECK(l.book().size() == 4);
}

TEST_CASE("a ledger writes at once, after a while and at its end, and says when it cannot")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    {
        upload_ledger l{d.path(""), log};
        CHECK(l.saved_at() > 0);
        account_of(l)->take(100, net::budget_now());
        l.begin();
        l.stop();
        const auto left = decode_uploads(content(d.path("uploads")));
        REQUIRE(left);
        CHECK(left->clean);
        CHECK(left->accounts.size() == 1);
    }
    CHECK_THROWS_AS((upload_ledger{d.path("not-there"), log}), std::system_error);
    upload_ledger nowhere{{}, log};
    CHECK(nowhere.saved_at() == 0);
}

TEST_CASE("of two ledgers at one place the first writes, and the second when the first has ended")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    auto first = std::make_unique<upload_ledger>(d.path(""), log);
    account_of(*first)->take(100, net::budget_now());
    first->begin();
    upload_ledger second{d.path(""), log};
    CHECK(first->keeps());
    CHECK_FALSE(second.keeps());
    CHECK(second.saved_at() == 0);
    second.begin();
    first.reset();
    CHECK(decode_uploads(content(d.path("uploads")))->accounts.size() == 1);
    second.stop();
    CHECK(second.keeps());
    CHECK(decode_uploads(content(d.path("uploads")))->clean);
}

TEST_CASE("a ledger that does not keep the accounts leaves no trace of its own at its end")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    upload_ledger first{d.path(""), log};
    const auto before = content(d.path("uploads"));
    upload_ledger second{d.path(""), log};
    account_of(second)->take(100, net::budget_now());
    second.begin();
    second.stop();
    CHECK_FALSE(second.keeps());
    CHECK(content(d.path("uploads")) == before);
}

TEST_CASE("a file is replaced as a whole, for its owner alone, and a symlink in its way is not followed")
{
    const temporary_directory d;
    const auto path = d.write("f", "old");
    CHECK_FALSE(replace_file(path, "new"));
    CHECK(content(path) == "new");
    CHECK(std::filesystem::status(path).permissions() == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    const auto next = path + ".new." + std::to_string(::getpid());
    CHECK_FALSE(std::filesystem::exists(next));
    std::filesystem::create_symlink(d.path("victim"), next);
    CHECK(replace_file(path, "x"));
    CHECK(content(path) == "new");
    CHECK_FALSE(std::filesystem::exists(d.path("victim")));
    CHECK(replace_file(d.path("no/f"), "x"));
}
