// What /api/tunnels, /api/status and /api/history are made of: which rows, how many, and what a question may be.
#include "observed.hpp"

#include <net/upload/upload_permit.hpp> // budget_now
#include <ops/admin/status_report.hpp>
#include <ops/admin/tunnel_page.hpp>
#include <ops/metrics/budget_use.hpp>
#include <ops/metrics/history.hpp>
#include <ops/metrics/recent_tracks.hpp>

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <numeric>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::test;
namespace json = boost::json;

namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

net::listed_tunnel tunnel(std::uint64_t id, std::uint64_t upload, std::uint32_t client = 1, std::uint32_t slot = 2)
{
    net::listed_tunnel t;
    t.id = id;
    t.upload = upload;
    t.client = ip_address::v4(client);
    t.rule_slot = slot;
    t.opened = std::chrono::steady_clock::now() - std::chrono::seconds{id};
    return t;
}

std::vector<std::uint64_t> ids(net::tunnel_list all)
{
    std::vector<std::uint64_t> out;
    for (const auto& t : std::move(all).in_order()) out.push_back(t.id);
    return out;
}

void put(net::tunnel_list& all, net::listed_tunnel t)
{
    if (all.wants(t)) all.add(std::move(t));
}

net::tunnel_question question(net::tunnel_order by, std::size_t most)
{
    net::tunnel_question q;
    q.by = by;
    q.most = most;
    return q;
}

json::object parsed(const std::string& text) { return json::parse({text.data(), text.size()}).as_object(); }

std::uint64_t sum(const recent_tracks::steps& s) { return std::accumulate(s.begin(), s.end(), std::uint64_t{0}); }

} // namespace

TEST_CASE("a list of tunnels keeps the first by its order, whatever the order in which they come and over which workers they are spread")
{
    using enum net::tunnel_order;
    for (const auto by : {upload, download, age, client, entry}) {
        net::tunnel_list one{question(by, 3)}, other{question(by, 3)};
        for (const std::uint64_t id : {5, 1, 9, 3, 7}) {
            auto t = tunnel(id, 10 - id, static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(id));
            t.download = 10 - id;
            put(id % 2 == 1 && id > 4 ? one : other, t);
        }
        one.merge(std::move(other));
        CHECK(one.total() == 5);
        CHECK(ids(std::move(one)) == (by == age ? std::vector<std::uint64_t>{9, 7, 5} : std::vector<std::uint64_t>{1, 3, 5}));
    }
}

TEST_CASE("a list of tunnels can be narrowed to a client and to an entry, and counts what matches beyond its rows")
{
    auto q = question(net::tunnel_order::upload, 2);
    q.client = ip_prefix{ip_address::v4(7), 128};
    q.at = {4, 5};
    net::tunnel_list all{q};
    for (std::uint64_t id = 1; id <= 30; ++id)
        put(all, tunnel(id, id, id % 2 == 0 ? 7 : 8, static_cast<std::uint32_t>(id % 3 + 3))); // slots 3, 4, 5
    CHECK(all.total() == 30);
    CHECK(all.matching() == 10);
    CHECK(ids(std::move(all)) == std::vector<std::uint64_t>{28, 26});
}

TEST_CASE("a question for tunnels is read, and each wrong one is told what is wrong with it")
{
    label_registry labels;
    const auto slot = labels.rule_slot("a b", purpose::api), again = labels.rule_slot("a b", purpose::pull);
    const auto asked = parse_tunnel_page("/api/tunnels?sort=age&client=fd00::1&entry=a%20b&page=3&size=20", labels);
    REQUIRE(asked.has_value());
    CHECK(asked->of.by == net::tunnel_order::age);
    CHECK(asked->of.client == ip_prefix::parse("fd00::1"));
    for (const auto* client : {"2001:db8:1::/64", "2001:db8:1::%2f64"})
        CHECK(parse_tunnel_page(std::string{"/api/tunnels?client="} + client, labels)->of.client == ip_prefix::parse("2001:db8:1::/64"));
    labels.group_slot("lab");
    for (const auto* client : {"lab/10.42.0.3", "lab%2F10.42.0.3"}) // as the metrics name it
        CHECK(parse_tunnel_page(std::string{"/api/tunnels?client="} + client, labels)->of.client == ip_prefix::parse("10.42.0.3"));
    CHECK(parse_tunnel_page("/api/tunnels?client=lab/2001:db8:1::/64", labels)->of.client == ip_prefix::parse("2001:db8:1::/64"));
    CHECK(parse_tunnel_page("/api/tunnels?client=nobody/10.42.0.3", labels).has_error());
    CHECK(asked->of.at == std::vector<std::uint32_t>{slot, again});
    CHECK(asked->page == 3);
    CHECK(asked->of.most == 60);
    const auto plain = parse_tunnel_page("/api/tunnels", labels);
    REQUIRE(plain.has_value());
    CHECK(plain->of.most == 50);
    CHECK_FALSE(plain->of.at.has_value());
    CHECK(parse_tunnel_page("/api/tunnels?entry=unknown", labels)->of.at->empty());
    for (const auto& [query, says] :
         std::initializer_list<std::array<const char*, 2>>{{"sort=size", "'sort' must be one of upload, download"},
                                                           {"client=10.42.0", "'client' must be an IP address"},
                                                           {"client=fd00::1/64", "'client' must be an IP address, or a prefix"},
                                                           {"page=0", "'page' must be a number"},
                                                           {"page=1x", "'page' must be a number"},
                                                           {"page=-1", "'page' must be a number"},
                                                           {"page=", "'page' must be a number"},
                                                           {"size=101", "'size' must be a number from 1 to 100"},
                                                           {"page=99999999999999999999", "'page' must be a number"},
                                                           {"page=1&page=2", "'page' comes twice"},
                                                           {"%1b%5b31mx=1", "'\\x1b[31mx' must be left out"},
                                                           {"<script>=1", "this is not a path"},
                                                           {"page=%zz", "this is not a path"}}) {
        const auto bad = parse_tunnel_page(std::string{"/api/tunnels?"} + query, labels);
        CHECK_MESSAGE((bad.has_error() && bad.error().find(says) == 0), query << ": " << (bad ? "read" : bad.error()));
    }
}

TEST_CASE("a thousand tunnels can be paged to and not one more, a hundred a page at most")
{
    label_registry labels;
    const auto query = [&](std::size_t page, std::size_t size) {
        return parse_tunnel_page("/api/tunnels?page=" + std::to_string(page) + "&size=" + std::to_string(size), labels);
    };
    CHECK(query(limits::listed_tunnels / limits::page_rows, limits::page_rows).has_value());
    CHECK_FALSE(query(limits::listed_tunnels / limits::page_rows + 1, limits::page_rows).has_value());
    CHECK_FALSE(query(1, limits::page_rows + 1).has_value());

    net::tunnel_list all{query(10, 100)->of};
    for (std::uint64_t id = 0; id < limits::listed_tunnels + 1; ++id) put(all, tunnel(id, id));
    const auto o = parsed(tunnel_report(*query(10, 100), std::move(all), true, labels));
    CHECK(o.at("total").to_number<std::size_t>() == limits::listed_tunnels + 1);
    CHECK(o.at("pages").to_number<std::size_t>() == 10);
    REQUIRE(o.at("tunnels").as_array().size() == limits::page_rows);
    CHECK(o.at("tunnels").as_array().back().as_object().at("upload_bytes").to_number<int>() == 1); // only the smallest is out of reach
}

TEST_CASE("a page of tunnels beyond the last is empty, and what a client sent is in it as text only")
{
    label_registry labels;
    auto t = tunnel(0xab, 5);
    t.host = "<img src=x>\x1b[31m\xff";
    for (const std::size_t page : {1, 2}) {
        auto asked = *parse_tunnel_page("/api/tunnels?page=" + std::to_string(page), labels);
        net::tunnel_list all{asked.of};
        put(all, t);
        const auto o = parsed(tunnel_report(asked, std::move(all), false, labels));
        CHECK(o.at("complete").as_bool() == false);
        CHECK(o.at("tunnels").as_array().size() == (page == 1 ? 1 : 0));
        if (page == 1) CHECK(o.at("tunnels").as_array()[0].as_object().at("id").as_string() == "00000000000000ab");
    }
}

TEST_CASE("recent tracks: what is new since the last look is in the step that goes on, the oldest step is the one that is forgotten")
{
    recent_tracks t;
    t.note("a", 10);
    t.note("a", 15);
    t.note({}, 100);
    CHECK(t.all().back() == 115);
    t.next();
    t.note("a", 20);
    t.note({}, 100);
    CHECK(t.all().back() == 5);
    CHECK(t.all()[limits::history_steps - 2] == 115);
    const auto shown = t.largest(8);
    REQUIRE(shown.size() == 2);
    CHECK(shown[0].name == "a");
    CHECK(shown[0].sum == 20);
    CHECK(shown[1].name.empty());
    CHECK(shown[1].sum == 100);
    for (std::size_t i = 1; i < limits::history_steps; ++i) t.note("a", 20), t.next();
    CHECK(sum(t.all()) == 5); // the second step is the oldest one now
    t.note("a", 20), t.next();
    CHECK(sum(t.all()) == 0);
    CHECK(t.largest(8).empty());
}

TEST_CASE("recent tracks: a total that falls begins anew, and so does a name that was away")
{
    recent_tracks t;
    t.note("a", 10), t.next();
    t.note("a", 4), t.next();
    CHECK(t.largest(1)[0].sum == 14);
    t.next(); // not noted in a whole step
    t.note("a", 4);
    CHECK(t.largest(1)[0].sum == 18);
}

TEST_CASE("recent tracks: only so many names have steps of their own, the largest, and the sum of all stays whole")
{
    recent_tracks t;
    for (std::size_t i = 0; i < limits::history_tracks; ++i) t.note("name" + std::to_string(i), 10 + i);
    CHECK(t.largest(10'000).size() == limits::history_tracks);
    t.note("too small", 10);                                       // no larger than the smallest
    CHECK(t.largest(10'000).size() == limits::history_tracks + 1); // the rest
    CHECK(t.largest(10'000).back().sum == 10);
    t.note("largest", 100'000);
    CHECK(t.largest(1)[0].name == "largest");
    CHECK(t.largest(10'000).size() == limits::history_tracks + 1);
    CHECK(t.largest(10'000).back().sum == 20); // name0 went
    const auto few = t.largest(limits::history_shown);
    CHECK(few.size() == limits::history_shown + 1);
    CHECK(few.front().sum + few.back().sum <= sum(t.all()));
    std::uint64_t whole = 0;
    for (const auto& track : few) whole += track.sum;
    CHECK(whole == sum(t.all()));
}

TEST_CASE("the history adds up to what was uploaded and refused, an hour at most")
{
    observed o;
    o.adopt({"pypi"}, {"lab"});
    history h{*o.numbers};
    const auto group = o.labels.group_slot("lab");
    auto& big = o.clients[0]->of({ip_address::v4(0x0a2a0001), group});
    auto& small = o.clients[1]->of({ip_address::v4(0x0a2a0002), group});
    const auto upload = [&](auto& account, std::uint64_t n) {
        account.bytes[0].upload.add(n);
        o.counters[0]->rules[2].upload.add(n);
    };
    upload(big, 5'000'000);
    upload(small, 10);
    o.counters[1]->denied[verdict::not_allowed][group].add(3);
    h.next();
    upload(big, 7);
    const auto report = parsed(history_report(h));
    CHECK(report.at("upload").as_array().size() == limits::history_steps);
    CHECK(report.at("upload").as_array()[limits::history_steps - 2].to_number<int>() == 5'000'010);
    CHECK(report.at("upload").as_array().back().to_number<int>() == 7);
    const auto& clients = report.at("clients").as_array();
    REQUIRE(clients.size() == 2);
    CHECK(clients[0].as_object().at("client").as_string() == "lab/10.42.0.1");
    CHECK(clients[0].as_object().at("upload").as_array().back().to_number<int>() == 7);
    CHECK(clients[1].as_object().at("client").as_string() == "lab/10.42.0.2");
    CHECK(clients[1].as_object().at("upload").as_array()[limits::history_steps - 2].to_number<int>() == 10);
    CHECK(report.at("entries").as_array()[0].as_object().at("entry").as_string() == "pypi");
    CHECK(report.at("denied").as_array()[0].as_object().at("reason").as_string() == "not_allowed");
}

TEST_CASE("the fullest budgets come first, each account by its tightest window, and so many at most")
{
    observed o;
    o.adopt({"pypi"}, {"lab"});
    auto& book = o.uploads.book();
    const auto now = net::budget_now();
    upload_limits most;
    most.most = {100, 150, unlimited};
    for (std::uint32_t c = 1; c <= limits::status_rows + 5; ++c)
        book.open({budget_key::scope::client_at_purpose, ip_address::v4(c), static_cast<std::uint64_t>(purpose::api)}, most, now)
            ->overdraw(c);
    book.open({budget_key::scope::entry, {}, budget_key::id_of("pypi")}, most, now)->overdraw(99);
    book.open({budget_key::scope::entry, {}, budget_key::id_of("gone")}, most, now)->overdraw(100);
    book.open({budget_key::scope::client_at_entry, ip_address::v4(1), budget_key::id_of("pypi")}, {}, now)->overdraw(100); // no limit
    const auto all = fullest_budgets(book, o.policy.now(), limits::status_rows);
    REQUIRE(all.size() == limits::status_rows);
    CHECK(all[0].entry == "pypi");
    CHECK_FALSE(all[0].client.has_value());
    CHECK(all[0].window == budget_window::hour);
    CHECK(all[0].used == 99);
    CHECK(all[0].assumed == 50); // this ledger has no state
    CHECK(all[0].share() == doctest::Approx(1.49));
    CHECK(all[1].client == ip_address::v4(limits::status_rows + 5));
    CHECK(all[1].purpose == purpose::api);
    CHECK(all.back().used == 7);
}

TEST_CASE("the status has so many rows of each table, the largest, and knows of more")
{
    observed o;
    o.adopt({}, {"lab"});
    for (std::uint32_t c = 0; c < limits::status_rows + 1; ++c) {
        o.clients[0]->of({ip_address::v4(c), o.labels.group_slot("lab")}).bytes[0].upload.add(2'000'000 + c);
        o.counters[0]->rules[o.labels.rule_slot("e" + std::to_string(c), purpose::api)].upload.add(1 + c);
    }
    const auto s = parsed(status_report(*o.numbers, {}, std::chrono::seconds{5}));
    REQUIRE(s.at("clients").as_array().size() == limits::status_rows);
    CHECK(s.at("clients").as_array()[0].as_object().at("upload_bytes").to_number<std::size_t>() == 2'000'000 + limits::status_rows);
    CHECK(s.at("clients_known").to_number<std::size_t>() == limits::status_rows + 1);
    REQUIRE(s.at("entries").as_array().size() == limits::status_rows);
    CHECK(s.at("entries").as_array().back().as_object().at("upload_bytes").to_number<int>() == 2);
    CHECK(s.at("uptime_seconds").to_number<int>() == 5);
    CHECK(s.at("policy").as_object().at("expires").is_null());
    o.adopt({}, {"lab"}, settings_of(8, wall_time{std::chrono::seconds{0}}));
    upload_limits most;
    most.most[0] = 100;
    o.uploads.book().open({budget_key::scope::client_at_purpose, ip_address::v4(1), 1}, most, net::budget_now())->overdraw(50);
    const auto again = parsed(status_report(*o.numbers, {}, {}));
    CHECK(again.at("policy").as_object().at("expires").as_string() == "1970-01-01T00:00:00Z");
    const auto& budget = again.at("budgets").as_array().at(0).as_object();
    CHECK(budget.at("client").as_string() == "0.0.0.1");
    CHECK(budget.at("entry").is_null());
}

TEST_CASE("the status tells the last fifty findings, the newest first, and the number of all")
{
    observed o;
    o.adopt({"pypi"}, {"lab"});
    std::vector<anomaly_event> told;
    for (std::uint32_t c = 1; c <= limits::recent_findings + 1; ++c) {
        net::audit_record r;
        r.action = net::audit_action::deny;
        r.verdict = verdict::sni_mismatch;
        r.source = r.client = ip_address::v4(c);
        r.at = std::chrono::system_clock::time_point{std::chrono::seconds{1'700'000'000 + c}};
        o.watch.see(r, told);
    }
    const auto s = parsed(status_report(*o.numbers, {}, {}));
    const auto& all = s.at("anomalies").as_object();
    CHECK(all.at("total").to_number<std::size_t>() == limits::recent_findings + 1);
    REQUIRE(all.at("recent").as_array().size() == limits::recent_findings);
    const auto& newest = all.at("recent").as_array()[0].as_object();
    CHECK(newest.at("client").as_string() == ip_address::v4(limits::recent_findings + 1).to_string());
    CHECK(newest.at("detector").as_string() == "name_mismatch");
    CHECK(newest.at("severity").as_string() == "critical");
    CHECK(newest.at("technique").as_string() == "T1090.004");
    CHECK(newest.at("client_name").as_string() == "_none/" + ip_address::v4(limits::recent_findings + 1).to_string());
    CHECK(newest.at("sentence").as_string() ==
          "1 times a server name that was wrong, missing, hidden or changed, or no TLS at all; 1 is a finding");
    CHECK(newest.at("what_to_do").as_string().starts_with("isolate the pod"));
    CHECK(has(json::serialize(newest.at("log")), "2023-11-14T22:0"));
    CHECK(newest.at("entry").is_null());
}

TEST_CASE("of clients at entries with a budget of their own the fullest have series, and no more")
{
    observed o;
    o.adopt({"pypi"}, {"lab"});
    const auto now = net::budget_now();
    upload_limits most;
    most.most[0] = 1'000'000;
    const auto open = [&](std::uint32_t c, std::uint64_t used) {
        o.uploads.book()
            .open({budget_key::scope::client_at_entry, ip_address::v4(c), budget_key::id_of("pypi")}, most, now)
            ->overdraw(used);
    };
    const auto series = [&](const std::string& which) {
        const auto text = o.numbers->text();
        std::size_t n = 0;
        for (auto at = text.find(which); at != text.npos; at = text.find(which, at + 1)) ++n;
        return n;
    };
    constexpr const char* all = "exeat_client_upload_counted_bytes{";
    for (std::uint32_t c = 1; c <= limits::budget_series; ++c) open(c, 10);
    CHECK(series(all) == limits::budget_series);
    open(limits::budget_series + 1, 900'000);
    CHECK(series(all) == limits::budget_series);
    CHECK(series(R"(exeat_client_upload_counted_bytes{client="_none/0.0.7.209",entry="pypi",purpose="pull",window="1h"} 900000)") == 1);
    CHECK(series(R"(exeat_upload_budget_bytes{entry="pypi",purpose="pull",window="1h"} 1000000)") == 1);
}

TEST_CASE("a client of a critical finding is among the clients of the status, whoever moved more")
{
    observed o;
    o.adopt({}, {"lab"});
    const auto lab = o.labels.group_slot("lab");
    for (std::uint32_t c = 0; c < limits::client_series + 10; ++c)
        o.clients[0]->of({ip_address::v4(1'000 + c), lab}).bytes[0].upload.add(2'000'000 + c);
    o.clients[0]->of({ip_address::v4(1), lab}).denied.add();
    const auto names = [&] { return json::serialize(parsed(status_report(*o.numbers, {}, {})).at("clients")); };
    CHECK_FALSE(has(names(), "lab/0.0.0.1\""));
    net::audit_record r;
    r.action = net::audit_action::deny;
    r.verdict = verdict::sni_mismatch;
    r.source = r.client = ip_address::v4(1);
    r.at = std::chrono::system_clock::now();
    std::vector<anomaly_event> told;
    o.watch.see(r, told);
    REQUIRE(told.size() == 1);
    CHECK(has(names(), "lab/0.0.0.1\""));
    CHECK(has(o.numbers->text(), R"(exeat_client_denied_total{client="lab/0.0.0.1"} 0)"));
    CHECK(has(o.numbers->text(),
              R"(exeat_finding_timestamp_seconds{client="lab/0.0.0.1",entry="",detector="name_mismatch",severity="critical"})"));
}
