#include <ops/admin/admin.hpp>

#include "observed.hpp"

#include <exeat/policy_builder.hpp>
#include <ops/admin/admin_pages.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::test;
using tcp = boost::asio::ip::tcp;

namespace {

struct running : observed {
    running() : door{io, {ip_address::v4(0x7f000001), 0}}
    {
        door.serve(*numbers, past, [this](const net::tunnel_question& q, const std::function<void(net::tunnel_list)>& done) {
            asked.push_back(q);
            for (std::size_t i = 0; i < answering; ++i) done(open_tunnels(q));
            return std::size_t{2};
        });
        thread = std::thread{[this] { io.run(); }};
    }
    ~running()
    {
        boost::asio::post(io, [this] { door.close(); });
        thread.join();
    }
    tcp::socket connect()
    {
        tcp::socket s{mine};
        s.connect({boost::asio::ip::address_v4::loopback(), door.port()});
        return s;
    }
    // Everything the server says until it closes.
    static std::string rest(tcp::socket& s)
    {
        std::string all;
        boost::system::error_code end;
        boost::asio::read(s, boost::asio::dynamic_buffer(all), end);
        return all;
    }
    std::string ask(std::string_view bytes)
    {
        auto s = connect();
        boost::system::error_code failed;
        boost::asio::write(s, boost::asio::buffer(bytes), failed);
        return rest(s);
    }
    std::string get(std::string_view path, std::string_view more = "Host: 127.0.0.1\r\n")
    {
        return ask("GET " + std::string{path} + " HTTP/1.1\r\n" + std::string{more} + "Connection: close\r\n\r\n");
    }

    net::tunnel_list open_tunnels(const net::tunnel_question& q) const
    {
        net::tunnel_list all{q};
        for (auto t : tunnels)
            if (all.wants(t)) all.add(t);
        return all;
    }

    history past{*numbers};
    std::vector<net::listed_tunnel> tunnels; // of each of two workers
    std::vector<net::tunnel_question> asked;
    std::size_t answering = 2;
    boost::asio::io_context io{1}, mine;
    admin door;
    std::thread thread;
};

std::string body(const std::string& reply) { return reply.substr(std::min(reply.find("\r\n\r\n") + 4, reply.size())); }
bool says(const std::string& reply, int status) { return reply.starts_with("HTTP/1.1 " + std::to_string(status) + " "); }

} // namespace

TEST_CASE("the pages are there, and nothing else")
{
    running r;
    r.adopt({"pypi"}, {});
    r.policy.start();
    CHECK(says(r.get("/healthz"), 200));
    CHECK(body(r.get("/healthz")) == "ok\n");
    CHECK(body(r.get("/readyz")) == "ready\n");
    CHECK(body(r.get("/")).find("/metrics") != std::string::npos);
    const auto metrics = r.get("/metrics");
    CHECK(says(metrics, 200));
    CHECK(metrics.find("\r\nContent-Type: text/plain; version=0.0.4") != std::string::npos);
    CHECK(body(metrics).find("\nexeat_policy_info{") != std::string::npos);
    CHECK(says(r.get("/metrics?name[]=x"), 200));
    for (const auto* path : {"/Metrics", "/metrics/", "//metrics", "/..", "/api", "*", "http://127.0.0.1/metrics", "/%6detrics"})
        CHECK_MESSAGE(says(r.get(path), 404), path);
}

TEST_CASE("every reply keeps browsers from guessing, caching and running")
{
    running r;
    for (const auto* path : {"/", "/metrics", "/nothing", "/api/status", "/api/tunnels"}) {
        const auto reply = r.get(path);
        for (const auto* field :
             {"X-Content-Type-Options: nosniff", "Cache-Control: no-store", "Content-Security-Policy: default-src 'none'",
              "frame-ancestors 'none'", "Cross-Origin-Resource-Policy: same-origin", "Referrer-Policy: no-referrer"})
            CHECK_MESSAGE(reply.find(field) != std::string::npos, path << " " << field);
        CHECK_MESSAGE((reply.find("script-src") != std::string::npos) == (std::string_view{path} == "/"), path);
    }
}

TEST_CASE("nothing can be changed: other methods are refused")
{
    running r;
    for (const auto* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"}) {
        const auto reply = r.ask(std::string{method} + " /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        CHECK_MESSAGE(says(reply, 405), method);
        CHECK(reply.find("\r\nAllow: GET, HEAD\r\n") != std::string::npos);
    }
}

TEST_CASE("HEAD is GET without the body")
{
    running r;
    const auto get = r.get("/healthz");
    const auto head = r.ask("HEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    CHECK(head == get.substr(0, get.size() - body(get).size()));
}

TEST_CASE("a page that comes under a name of its own is turned away")
{
    running r;
    for (const auto* host : {"127.0.0.1", "127.0.0.1:9464", "localhost", "LOCALHOST:1", "[::1]:9464", "[2001:db8::1]", "10.0.0.1"})
        CHECK_MESSAGE(says(r.get("/healthz", "Host: " + std::string{host} + "\r\n"), 200), host);
    for (const auto* host : {"evil.test", "evil.test:9464", "localhost.evil.test", "127.0.0.1.evil.test", "[::1].evil.test", "[evil.test]",
                             "127.0.0.1:x", "127.0.0.1:9464:1", "2130706433", "127.1", ""})
        CHECK_MESSAGE(says(r.get("/healthz", "Host: " + std::string{host} + "\r\n"), 421), host);
    CHECK(says(r.get("/healthz", ""), 400));
    CHECK(says(r.get("/healthz", "Host: 127.0.0.1\r\nHost: evil.test\r\n"), 400));
}

TEST_CASE("a name that the settings give the listener is answered, exactly and whatever the port, and the refusal of others says how")
{
    running r;
    r.settings.admin_names = {"exeat-admin.egress.svc", "exeat"};
    for (const auto* host : {"exeat-admin.egress.svc", "EXEAT-admin.egress.svc.:9464", "exeat:9464", "127.0.0.1", "localhost"})
        CHECK_MESSAGE(says(r.get("/healthz", "Host: " + std::string{host} + "\r\n"), 200), host);
    for (const auto* host :
         {"x.exeat-admin.egress.svc", "exeat-admin.egress.svc.evil.test", "egress.svc", "exeat.", "exeat..", "exeat:x", "."}) {
        const bool ours = std::string_view{host} == "exeat."; // one dot ends a name (RFC 1034 section 3.1)
        CHECK_MESSAGE(says(r.get("/healthz", "Host: " + std::string{host} + "\r\n"), ours ? 200 : 421), host);
    }
    CHECK(body(r.get("/healthz", "Host: evil.test\r\n")).find("'names' in [admin] of exeat.toml") != std::string::npos);
}

TEST_CASE("bodies and heads beyond the limit are refused and end the connection")
{
    running r;
    const std::string host = "Host: 127.0.0.1\r\n";
    CHECK(says(r.ask("GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello"), 413));
    CHECK(says(r.ask("GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 413));
    CHECK(says(r.ask("GET / HTTP/1.1\r\n" + host + "X: " + std::string(limits::admin_head_bytes, 'x')), 431));
    CHECK(r.ask("\x16\x03\x01\x02\x01\x01 not http at all\r\n\r\n").find(" 400 ") != std::string::npos);
}

TEST_CASE("one connection can ask many times")
{
    running r;
    auto s = r.connect();
    std::string all;
    for (int i = 0; i < 20; ++i) all += "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    all += "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    boost::asio::write(s, boost::asio::buffer(all));
    const auto replies = running::rest(s);
    std::size_t n = 0;
    for (auto at = replies.find("ok\n"); at != replies.npos; at = replies.find("ok\n", at + 1)) ++n;
    CHECK(n == 21);
}

TEST_CASE("however many connections stand open, one more is answered, and of its peer's the one that has waited longest is let go")
{
    running r;
    const std::string_view ask = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    std::vector<tcp::socket> idle;
    for (std::size_t i = 0; i < limits::admin_connections; ++i) {
        idle.push_back(r.connect());
        if (i % 2 == 0) boost::asio::write(idle.back(), boost::asio::buffer(ask.substr(0, i))); // a part of a head is none
    }
    CHECK(says(r.get("/metrics"), 200));
    CHECK(running::rest(idle.front()) == "");
    auto& last = idle.back();
    boost::asio::write(last, boost::asio::buffer(ask));
    std::array<char, 15> begin{};
    boost::asio::read(last, boost::asio::buffer(begin));
    CHECK(std::string_view{begin.data(), begin.size()} == "HTTP/1.1 200 OK");
}

TEST_CASE("who sends no whole head is let go, before the first request and between two")
{
    running r;
    auto first = r.connect(), between = r.connect();
    boost::asio::write(first, boost::asio::buffer(std::string_view{"GET /healthz HTTP/1.1\r\nHost:"}));
    boost::asio::write(between, boost::asio::buffer(std::string_view{"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"}));
    CHECK(running::rest(first) == "");
    CHECK(running::rest(between).ends_with("ok\n"));
}

TEST_CASE("an address in use is an error at the start, and the port of any is known")
{
    boost::asio::io_context io;
    const admin first{io, {ip_address::v4(0x7f000001), 0}};
    CHECK(first.port() != 0);
    CHECK(first.local().address == ip_address::v4(0x7f000001));
    CHECK_THROWS_AS((admin{io, first.local()}), boost::system::system_error);
}

TEST_CASE("close ends the connections too, so that the io_context runs out of work")
{
    boost::asio::io_context mine;
    auto r = std::make_unique<running>();
    tcp::socket idle{mine};
    idle.connect({boost::asio::ip::address_v4::loopback(), r->door.port()});
    boost::asio::write(idle, boost::asio::buffer(std::string_view{"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /he"}));
    std::array<char, 15> begin{};
    boost::asio::read(idle, boost::asio::buffer(begin));
    r.reset(); // returns when the io_context's thread has ended
    CHECK(running::rest(idle).ends_with("ok\n"));
}

TEST_CASE("not ready without a start, a policy, a live policy or an audit log, and while draining")
{
    policy_status s;
    const audit_state good{};
    const wall_time now{std::chrono::seconds{1'000}};
    const auto reasons = [&](const machine_state& machine = {}) { return judge_readiness(s.now(), machine, now).to_string(); };
    CHECK(reasons() == "not ready: not started\nnot ready: no policy\n");
    s.start();
    const auto adopt = [&](policy_settings settings, bool empty = false) {
        policy_builder b;
        if (!empty) b.add_rule({});
        s.took_effect(std::make_shared<const policy>(std::move(b).finish(std::move(settings))), now);
    };
    adopt({}, true);
    CHECK(reasons().starts_with("not ready: the allowlist is empty"));
    adopt(settings_of(7, now));
    CHECK(reasons() == "not ready: policy expired at 1970-01-01T00:16:40Z\n");
    adopt({});
    CHECK(reasons() == "ready\n");
    CHECK(reasons({{false, "disk full", audit_failure::deny}}) == "not ready: audit log failing: disk full\n");
    CHECK(reasons({{false, "disk full", audit_failure::proceed}}) == "ready\nwarning: audit log failing: disk full\n");
    s.failed("allowlist.toml:1:1: error: no");
    CHECK(reasons() == "ready\nwarning: last reload failed: allowlist.toml:1:1: error: no\n");
    s.waits("allowlist.toml is still being written");
    CHECK(reasons().ends_with("\nwarning: a changed list is not in force yet: allowlist.toml is still being written\n"));
    s.unchanged(now);
    CHECK(reasons() == "ready\n");
    CHECK(reasons({.audit = good, .dns_servers_named = false}).starts_with("ready\nwarning: /etc/resolv.conf names no DNS server"));
    adopt(reporting_until(wall_time{std::chrono::seconds{86'400}}));
    CHECK(reasons() == "ready\nwarning: report mode until 1970-01-02T00:00:00Z\n");
    s.drain();
    CHECK(reasons().starts_with("not ready: draining\n"));
}

TEST_CASE("readiness is the reply's status")
{
    running r;
    CHECK(says(r.get("/readyz"), 503));
    r.adopt({"pypi"}, {});
    r.policy.start();
    CHECK(says(r.get("/readyz"), 200));
}

TEST_CASE("the status is JSON and says what is enforced and what went through")
{
    running r;
    r.adopt({"pypi"}, {}, settings_of(12));
    r.counters[0]->rules[2].upload.add(10);
    r.counters[1]->rules[2].download.add(20);
    r.counters[1]->requests[0][0].add(3);
    r.policy.failed("a \"quoted\"\nerror");
    const auto o = boost::json::parse(body(r.get("/api/status"))).as_object();
    CHECK(o.at("version").as_string() == "1.2.3");
    CHECK(o.at("ready").as_bool() == false);
    CHECK(o.at("policy").as_object().at("serial").to_number<int>() == 12);
    CHECK(o.at("policy").as_object().at("last_error").as_string() == "a \"quoted\"\nerror");
    CHECK(o.at("totals").as_object().at("upload_bytes").to_number<int>() == 10);
    CHECK(o.at("totals").as_object().at("download_bytes").to_number<int>() == 20);
    CHECK(o.at("totals").as_object().at("requests_denied").to_number<int>() == 3);
    CHECK(o.at("listeners").as_array().size() == 2);
    CHECK(o.at("audit").as_object().at("healthy").as_bool());
}

TEST_CASE("the workers are asked for their tunnels, and what they say is put together")
{
    running r;
    r.adopt({"pypi"}, {"lab"});
    net::listed_tunnel t;
    t.rule_slot = r.labels.rule_slot("pypi", purpose::pull);
    t.host = "files.test";
    t.upload = 17;
    r.tunnels = {t};
    const auto o = boost::json::parse(body(r.get("/api/tunnels?entry=pypi&size=7"))).as_object();
    CHECK(o.at("complete").as_bool());
    CHECK(o.at("total").to_number<int>() == 2);
    REQUIRE(o.at("tunnels").as_array().size() == 2);
    const auto& row = o.at("tunnels").as_array()[1].as_object();
    CHECK(row.at("host").as_string() == "files.test");
    CHECK(row.at("entry").as_string() == "pypi");
    CHECK(row.at("upload_bytes").to_number<int>() == 17);
    REQUIRE(r.asked.size() == 1);
    CHECK(r.asked[0].most == 7);
    CHECK(says(r.get("/api/tunnels?size=0"), 400));
    CHECK(r.asked.size() == 1);
}

TEST_CASE("a worker that does not answer is waited for so long, and then the page says that its tunnels are missing")
{
    running r;
    r.answering = 1;
    r.tunnels = {{}};
    const auto began = std::chrono::steady_clock::now();
    const auto o = boost::json::parse(body(r.get("/api/tunnels"))).as_object();
    CHECK(std::chrono::steady_clock::now() - began >= limits::tunnel_answer_time);
    CHECK_FALSE(o.at("complete").as_bool());
    CHECK(o.at("total").to_number<int>() == 1);
}

TEST_CASE("looks at all tunnels are apart, and who would have to wait too long for one is turned away")
{
    running r;
    constexpr auto served = limits::tunnel_look_wait / limits::tunnel_look_interval + 1;
    constexpr int all = 2 * served; // so that some wait too long though a busy machine takes seconds to ask for all of them
    static_assert(all < limits::admin_connections);
    std::vector<tcp::socket> asking;
    for (int i = 0; i < all; ++i) {
        asking.push_back(r.connect());
        boost::asio::write(asking.back(),
                           boost::asio::buffer(std::string_view{"GET /api/tunnels HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n"}));
    }
    int refused = 0;
    for (auto& s : asking) refused += says(running::rest(s), 503);
    CHECK(refused >= 1);
    CHECK(refused + static_cast<int>(r.asked.size()) == all);
    CHECK(says(r.get("/api/tunnels"), 200));
}

TEST_CASE("the status is made once within its age, whoever asks")
{
    running r;
    r.adopt({"pypi"}, {});
    const auto uploaded = [&] {
        return boost::json::parse(body(r.get("/api/status"))).as_object().at("totals").as_object().at("upload_bytes").to_number<int>();
    };
    const auto began = std::chrono::steady_clock::now();
    CHECK(uploaded() == 0);
    r.counters[0]->rules[2].upload.add(10);
    const auto again = uploaded();
    if (std::chrono::steady_clock::now() - began < limits::report_age) CHECK(again == 0);
    std::this_thread::sleep_until(began + 2 * limits::report_age);
    CHECK(uploaded() == 10);
}
