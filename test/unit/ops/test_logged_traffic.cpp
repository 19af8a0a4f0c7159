#include "logged_lines.hpp"
#include "temporary_directory.hpp"

#include <exeat/limits.hpp>

#include <random>
#include <zlib.h>

using namespace exeat;
using namespace exeat::testing;
using net::audit_action;

namespace {

// A tunnel of three lines, and a denial.
std::string small_log()
{
    log_writer log;
    auto tunnel = log.record(audit_action::open, "pkg.test");
    tunnel.peer = ip_address::v4(0x08080808);
    log.add(tunnel);
    log.add(log.record(audit_action::deny, "evil.test"));
    tunnel.action = audit_action::progress, tunnel.upload = 100, tunnel.download = 1'000;
    log.add(tunnel);
    tunnel.action = audit_action::close, tunnel.upload = 150, tunnel.download = 1'500;
    return log.add(tunnel).text();
}

} // namespace

TEST_CASE("what the journal writes is read back, whole, however the bytes arrive")
{
    const auto text = small_log();
    for (std::size_t piece = 1; piece < 300; piece += 7) {
        request_list seen;
        const auto counts = read_text(text, seen, piece);
        CHECK(counts.events == 4);
        CHECK(counts.foreign + counts.cut == 0);
        REQUIRE(seen.all.size() == 2);
        const auto& [tunnel, upload, download] = seen.all[0];
        CHECK(tunnel.host->str() == "pkg.test");
        CHECK(tunnel.port == 443);
        CHECK(tunnel.group == "training");
        CHECK(tunnel.rule == "packages");
        CHECK(tunnel.source.to_string() == "10.42.3.7");
        CHECK(tunnel.peer->to_string() == "8.8.8.8");
        CHECK(tunnel.at == morning);
        CHECK(tunnel.as == protocol::tls);
        CHECK(upload == 150);
        CHECK(download == 1'500);
        CHECK(seen.all[1].first.verdict == verdict::not_allowed);
        CHECK(seen.all[1].first.host->str() == "evil.test");
    }
}

TEST_CASE("every way in is read back as the approach and protocol that it was")
{
    struct way {
        net::request_mode mode;
        bool named;
        approach via;
        protocol as;
    };
    using enum net::request_mode;
    for (const auto& [mode, named, via, as] :
         {way{connect, true, approach::tunnel, protocol::tls}, way{connect, false, approach::tunnel, protocol::tcp},
          way{http, false, approach::http, protocol::http}, way{transparent_http, false, approach::http, protocol::http},
          way{transparent_tls, true, approach::tls, protocol::tls}, way{sni, true, approach::tls, protocol::tls}}) {
        log_writer log;
        auto r = log.record(audit_action::open, "pkg.test");
        r.mode = mode;
        if (!named) r.server_name = {};
        request_list seen;
        read_text(log.add(r).text(), seen);
        REQUIRE(seen.all.size() == 1);
        CHECK(seen.all[0].first.via == via);
        CHECK(seen.all[0].first.as == as);
    }
}

TEST_CASE("a log that is cut at any byte loses its last line at most, and says so")
{
    const auto text = small_log();
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
        request_list seen;
        const auto counts = read_text(std::string_view{text}.substr(0, cut), seen);
        const auto newlines = static_cast<std::uint64_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(cut), '\n'));
        const bool at_end = cut == 0 || text[cut - 1] == '\n', only_newline_lost = text[cut] == '\n';
        CHECK(counts.events == newlines + (only_newline_lost && !at_end));
        CHECK(counts.cut == (!at_end && !only_newline_lost));
        CHECK(counts.foreign == 0);
    }
}

TEST_CASE("lines that no exeat wrote are counted and change nothing")
{
    const std::vector<std::string> foreign{
        "",
        "{}",
        "[]",
        "null",
        "hello",
        R"({"event.action":"open"})",
        std::string(limits::audit_line_bytes + 1, 'x'),
        std::string(3 * limits::audit_line_bytes, '{'),
        R"({"@timestamp":"2026-13-01T00:00:00Z","event.action":"stop"})",
        R"({"@timestamp":"2026-01-01T00:00:00Z","event.action":"open","source.ip":"10.42.3.7","event.id":"0f","exeat.mode":"connect",)"
        R"("exeat.group":"training\n[groups.x]","rule.name":"a","event.reason":"allowed","destination.domain":"a.test","destination.port":443})",
        R"({"@timestamp":"2026-01-01T00:00:00Z","event.action":"open","source.ip":"10.42.3.7","event.id":"0f","exeat.mode":"connect",)"
        R"("exeat.group":"training","rule.name":"a","event.reason":"allowed","destination.domain":"A.test","destination.port":443})",
        R"({"@timestamp":"2026-01-01T00:00:00Z","event.action":"close","source.ip":"10.42.3.7","event.id":"0f","exeat.mode":"connect",)"
        R"("exeat.group":"training","rule.name":"a","destination.domain":"a.test","destination.port":443,"source.bytes":-1})"};
    std::string text = small_log();
    for (const auto& line : foreign) text += line + "\n";
    text += small_log();
    for (const std::size_t piece : {1u, 1000u, 1u << 16}) {
        request_list seen;
        const auto counts = read_text(text, seen, piece);
        CHECK(counts.foreign == foreign.size());
        CHECK(counts.events == 8);
        CHECK(seen.all.size() == 4);
    }
}

TEST_CASE("what a client sent is a canonical host name or nothing")
{
    for (const std::string_view hostile :
         {"a.test\n[[allow]]", "a.test\"]", "A.TEST", "a.test.", "\xff\xfe", "localhost", "*.test", "[::1]"}) {
        log_writer log;
        auto r = log.record(audit_action::deny, hostile);
        r.verdict = verdict::host_syntax;
        request_list seen;
        CHECK(read_text(log.add(r).text(), seen).events == 1);
        REQUIRE(seen.all.size() == 1);
        CHECK(!seen.all[0].first.host);
    }
}

TEST_CASE("an IPv6 address is read back as the host that it is")
{
    log_writer log;
    request_list seen;
    read_text(log.add(log.record(audit_action::deny, "2600::1")).text(), seen);
    REQUIRE(seen.all.size() == 1);
    CHECK(seen.all[0].first.host->authority() == "[2600::1]");
}

TEST_CASE("random changes of a line are read as an event or not at all")
{
    std::mt19937 random{17};
    const auto text = small_log();
    for (int i = 0; i < 20'000; ++i) {
        auto changed = text;
        for (std::size_t n = 1 + random() % 4; n-- > 0;) changed[random() % changed.size()] = static_cast<char>(random());
        request_list seen;
        read_text(changed, seen);
        for (const auto& r : seen.all)
            if (r.first.host) CHECK(hostname::parse(r.first.host->authority())->str() == r.first.host->str());
    }
}

TEST_CASE("a tunnel whose beginning was rotated away is one request with all its bytes")
{
    auto text = small_log();
    text.erase(0, text.find('\n') + 1);
    request_list seen;
    read_text(text, seen);
    REQUIRE(seen.all.size() == 2);
    CHECK(seen.all[1].upload == 150);
}

TEST_CASE("a tunnel that was refused inside is one request, and a denial counts as often as it stands for")
{
    log_writer log;
    auto r = log.record(audit_action::open, "pkg.test");
    log.add(r);
    r.action = audit_action::deny, r.verdict = verdict::sni_changed;
    log.add(r);
    r.action = audit_action::close;
    log.add(r);
    auto sampled = log.record(audit_action::deny, "evil.test");
    sampled.stands_for = 70;
    log.add(sampled);
    request_list seen;
    read_text(log.text(), seen);
    REQUIRE(seen.all.size() == 2);
    CHECK(seen.all[1].first.stands_for == 70);
}

TEST_CASE("a close that is a sum of exchanges is as many requests, with all that they moved and what report mode said of them")
{
    log_writer log;
    auto r = log.record(audit_action::close, "deb.test", 80);
    r.mode = net::request_mode::http;
    r.server_name = {};
    r.stands_for = 90, r.upload = 900, r.download = 9'000;
    log.add(r);
    r = log.record(audit_action::close, "new.test", 80);
    r.mode = net::request_mode::http;
    r.server_name = {};
    r.stands_for = 2, r.verdict = verdict::not_allowed;
    log.add(r);
    request_list seen;
    read_text(log.text(), seen);
    REQUIRE(seen.all.size() == 2);
    CHECK((seen.all[0].first.stands_for == 90 && seen.all[0].upload == 900 && seen.all[0].download == 9'000));
    CHECK(seen.all[0].first.verdict == verdict::allowed);
    CHECK((seen.all[1].first.stands_for == 2 && seen.all[1].first.verdict == verdict::not_allowed));
}

TEST_CASE("of a tunnel that was open before the time asked for, only the later bytes count")
{
    log_writer log;
    auto r = log.record(audit_action::open, "pkg.test");
    log.add(r).add(log.record(audit_action::deny, "evil.test"));
    r.action = audit_action::progress, r.upload = 1'000;
    log.add(r);
    r.at += std::chrono::hours{2};
    r.action = audit_action::close, r.upload = 1'010;
    log.add(r);
    request_list seen;
    read_text(log.text(), seen, 1 << 16, morning + std::chrono::hours{1});
    REQUIRE(seen.all.size() == 1);
    CHECK(seen.all[0].upload == 10);
}

TEST_CASE("a gzipped log is read like the log, and a cut one as far as it goes")
{
    const temporary_directory d;
    const auto text = small_log();
    const auto path = d.path("audit.jsonl.1.gz");
    auto* file = gzopen(path.c_str(), "wb");
    REQUIRE(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()));
    gzclose(file);
    std::uint64_t events = 0;
    ops::audit_reader whole{[&](const auto&) { ++events; }};
    CHECK(whole.read(path) == "");
    CHECK(whole.read(d.write("audit.jsonl", text)) == "");
    CHECK(events == 8);

    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 12);
    ops::audit_reader cut{[](const auto&) {}};
    CHECK(cut.read(path).find("cut") != std::string::npos);
    CHECK(cut.read(d.path("absent")).find("No such file") != std::string::npos);
    CHECK(!cut.read(d.path("")).empty()); // a directory
}
