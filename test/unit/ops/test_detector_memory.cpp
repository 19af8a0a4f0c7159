#include "temporary_directory.hpp"

#include <exeat/budget/budget_book.hpp>
#include <net/wall_clock.hpp>
#include <ops/detection/detector_memory.hpp>
#include <ops/detection/detector_snapshot.hpp>
#include <ops/text/sealed_bytes.hpp>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <fstream>
#include <sstream>

using namespace exeat;
using namespace exeat::ops;
using namespace std::chrono_literals;

namespace {

using clock = std::chrono::steady_clock;
constexpr wall_time noon{std::chrono::seconds{1'750'000'000}};

std::string content(const std::string& path)
{
    std::ifstream in{path, std::ios::binary};
    return (std::ostringstream{} << in.rdbuf()).str();
}

struct watched {
    // A tunnel of the client at the entry that has uploaded so much; what was found by it.
    std::size_t uploads(std::uint64_t bytes, wall_time at, std::string_view entry = "first", std::uint32_t client = 1)
    {
        net::audit_record r;
        r.action = net::audit_action::close;
        r.at = at;
        r.id = ++tunnels;
        r.source = ip_address::v4(0x0a000000 + client);
        r.rule_slot = slot;
        r.rule_id = budget_key::id_of(entry);
        r.rule_purpose = purpose::api;
        r.client = r.source;
        r.upload = bytes;
        r.host = net::bounded_text{"a.test"};
        std::vector<anomaly_event> found;
        out.see(r, found);
        return found.size();
    }
    detection out{detector_settings{}};
    std::uint32_t slot = 2; // of all entries
    std::uint64_t tunnels = 0;
};

detect::moment moment_of(wall_time t) { return detection::moment_of(t); }

} // namespace

TEST_CASE("what a detection has learnt, another one knows, whatever slots its entries have")
{
    watched a, b, c;
    b.slot = 0;
    CHECK(a.uploads(50'000'000, noon) == 0);
    REQUIRE(b.out.begin_with(a.out.written(), moment_of(noon)));
    CHECK(b.uploads(20'000'000, noon + 10min) == 1);
    CHECK(b.uploads(20'000'000, noon + 10min, "second") == 0);
    CHECK(c.uploads(20'000'000, noon + 10min) == 0);
}

TEST_CASE("a byte that is changed or missing anywhere makes a detection begin anew")
{
    watched a;
    a.uploads(50'000'000, noon);
    const auto good = a.out.written();
    CHECK(watched{}.out.begin_with(good, moment_of(noon)));
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1 << i % 8);
        REQUIRE_FALSE(watched{}.out.begin_with(bad, moment_of(noon)));
        REQUIRE_FALSE(watched{}.out.begin_with(std::string_view{good}.substr(0, i), moment_of(noon)));
    }
    auto sealed = heading_of({moment_of(noon), 1, {}}) + "no parts of a bank";
    REQUIRE(seal(sealed));
    CHECK_FALSE(watched{}.out.begin_with(sealed, moment_of(noon)));
    sealed = heading_of({std::chrono::minutes{limits::snapshot_minutes} + 1s, 1, {}}) + good.substr(34, good.size() - 34 - 32);
    REQUIRE(seal(sealed));
    CHECK_FALSE(watched{}.out.begin_with(sealed, moment_of(noon)));
}

TEST_CASE("a clock that goes back, over a restart or under way, neither stops the detectors' time nor turns it")
{
    constexpr auto a_year = std::chrono::hours{24 * 364};
    const auto drips = [](watched& w, wall_time from) { // 250 kB an hour is let pass, and not a byte more
        std::size_t found = 0;
        for (int h = 0; h < 24 * 20; ++h) found += w.uploads(240'000, from + h * 1h);
        return found;
    };
    watched before;
    CHECK(before.uploads(60'000'000, noon + a_year) == 0);
    watched after;
    REQUIRE(after.out.begin_with(before.out.written(), moment_of(noon)));
    CHECK(drips(after, noon) == 0);
    CHECK(before.uploads(1, noon) == 0);
    CHECK(drips(before, noon) == 0);
    watched again; // and it is no later than it is
    REQUIRE(again.out.begin_with(before.out.written(), moment_of(noon)));
    CHECK(open_detectors(again.out.written())->now == moment_of(noon));
}

TEST_CASE("what the detectors know is written at the start and at the end, for the owner alone, and a start begins with it")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    {
        watched w;
        detector_memory m{d.path(""), w.out, log};
        CHECK(std::filesystem::status(d.path("detectors")).permissions() ==
              (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
        m.begin();
        w.uploads(50'000'000, net::wall_now());
        m.stop();
    }
    {
        watched w;
        const detector_memory m{d.path(""), w.out, log};
        CHECK(w.uploads(20'000'000, net::wall_now()) == 1);
    }
    watched w;
    CHECK_THROWS_AS((detector_memory{d.path("not-there"), w.out, log}), std::system_error);
    detector_memory nowhere{{}, w.out, log};
    nowhere.begin();
    nowhere.stop();
}

TEST_CASE("a damaged file and one of another version begin anew, and are replaced")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    watched a;
    a.uploads(50'000'000, net::wall_now());
    auto other = a.out.written();
    other[other.find('2')] = '1';
    for (const auto& bad : {std::string{"exeat-detectors-2\n damaged"}, other, std::string{}}) {
        d.write("detectors", bad);
        watched w;
        const detector_memory m{d.path(""), w.out, log};
        CHECK(w.uploads(20'000'000, net::wall_now()) == 0);
        CHECK(open_detectors(content(d.path("detectors"))));
    }
}

TEST_CASE("of two processes the second begins with what the first wrote, and writes when that has ended")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    watched a, b;
    auto first = std::make_unique<detector_memory>(d.path(""), a.out, log);
    detector_memory second{d.path(""), b.out, log};
    second.begin();
    a.uploads(50'000'000, net::wall_now());
    first->begin();
    first.reset();
    const auto left = content(d.path("detectors"));
    CHECK(left.size() > 200);
    second.stop();
    CHECK(content(d.path("detectors")).size() < left.size());
}

TEST_CASE("full tables are written part by part within a moment each, and fit what is read")
{
    watched w;
    std::vector<anomaly_event> found;
    for (std::uint32_t n = 0; n < limits::detect_clients; ++n)
        for (const auto action : {net::audit_action::open, net::audit_action::deny, net::audit_action::close}) {
            net::audit_record r;
            r.action = action;
            r.verdict = action == net::audit_action::deny ? verdict::sni_missing : verdict::allowed;
            r.at = noon + std::chrono::seconds{n};
            r.id = n;
            r.source = ip_address::v4(n);
            r.rule_id = 2;
            r.client = r.source;
            r.upload = 400'000, r.download = 1'000'000;
            r.by_wildcard = true;
            r.host = net::bounded_text{fmt::format("host{}.test", n)};
            w.out.see(r, found);
            found.clear();
        }
    for (const auto& t : w.out.tables()) CHECK(t.entries == t.capacity);
    const auto from = clock::now();
    const auto bytes = w.out.written();
    const auto took = std::chrono::duration<double, std::milli>{clock::now() - from}.count();
    const auto read_from = clock::now();
    REQUIRE(watched{}.out.begin_with(bytes, moment_of(noon + 24h)));
    const auto read_took = std::chrono::duration<double, std::milli>{clock::now() - read_from}.count();
    CHECK(bytes.size() <= limits::detector_bytes);
    detect::detector_bank same{1, {}};
    const auto s = open_detectors(bytes);
    REQUIRE(s);
    REQUIRE(same.read(s->parts));
    double longest = 0;
    std::string out;
    for (std::size_t part = 0; part < detect::detector_bank::parts; ++part) {
        const auto began = clock::now();
        same.write(part, out);
        longest = std::max(longest, std::chrono::duration<double, std::milli>{clock::now() - began}.count());
    }
    MESSAGE(fmt::format("{} bytes; written in {:.0f} ms, of which see() waits {:.0f} ms at most; read in {:.0f} ms", bytes.size(), took,
                        longest, read_took));
    CHECK(longest < 1'000);
}
