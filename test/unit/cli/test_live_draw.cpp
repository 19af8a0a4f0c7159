// What stands on the screen, at every size.
#include "small_status.hpp"

#include <exeat/limits.hpp>

using namespace exeat;
using namespace exeat::testing;

namespace {

json::object moved_on(std::uint64_t by)
{
    auto s = small_status();
    s["totals"].as_object()["upload_bytes"] = 1'000 + by;
    s["totals"].as_object()["requests_denied"] = 26;
    s["clients"].as_array()[1].as_object()["upload_bytes"] = 4'000 + by;
    return s;
}

outlook showing(view v)
{
    outlook o;
    o.what = v;
    return o;
}

json::object crowd(std::size_t n)
{
    auto s = small_status();
    json::array clients;
    for (std::size_t i = 0; i < n; ++i) clients.push_back(client_row("training/10.42.1." + std::to_string(i), 1'000'000 - i));
    s["clients"] = std::move(clients);
    return s;
}

} // namespace

TEST_CASE("no line is wider than the screen, and there are as many lines as it has")
{
    auto p = picture_of(crowd(30), crowd(30));
    p.status.last->reasons = {std::string(200, 'r') + " and more of it"};
    p.status.last->clients[3].client = std::string(255, 'c');
    for (const bool trouble : {false, true}) {
        p.trouble = trouble ? "cannot reach http://127.0.0.1:9464: connection refused" : "";
        for (std::size_t v = 0; v < view_words.size(); ++v)
            for (const std::size_t columns : {1, 2, 10, 39, 40, 41, 59, 60, 80, 119, 120, 149, 150, 151, 200, 250})
                for (const std::size_t rows : {1, 2, 5, 10, 15, 19, 20, 24, 50, 100})
                    for (const bool helping : {false, true}) {
                        auto o = showing(static_cast<view>(v));
                        o.helping = helping;
                        const auto d = draw(p, o, {rows, columns}, at(103));
                        CAPTURE(columns);
                        CAPTURE(rows);
                        CHECK(d.lines.size() == rows);
                        for (const auto& l : d.lines) CHECK(width(l) <= columns);
                    }
    }
    CHECK(draw(p, {}, {0, 80}, at(103)).lines.empty());
}

TEST_CASE("the header says whether it is ready, what it enforces and how much goes out")
{
    const auto text = drawn(picture_of(small_status(), moved_on(4'096)));
    for (const auto* part :
         {"exeat 0.1.0", "READY", "audit ok", "running 1d 2h", "127.0.0.1:9464", "03:30:00Z", "policy 7", "enforce", "sha256 3c5f9a1b2c3d",
          "signed by 1", "up 2.0 KiB/s", "down 0 B/s", "tunnels 5,000", "denied 3.0/s", "findings 3"}) {
        CAPTURE(part);
        CHECK(has(text, part));
    }
    CHECK(has(drawn(small_picture(), {}, {24, 160}), "signed by 0011223344556677"));
}

TEST_CASE("what somebody must see to is said in words, without a colour")
{
    auto p = small_picture();
    auto& s = *p.status.last;
    s.ready = false;
    s.reasons = {"audit log failing: No space left on device"};
    s.warnings = {"last reload failed: line 12"};
    s.audit_healthy = false;
    s.policy->mode = "report";
    s.policy->report_until = s.now + std::chrono::hours{30};
    s.policy->expires = s.now;
    s.policy->approved_by.clear();
    const auto text = drawn(p, {}, {30, 120});
    for (const auto* part : {"NOT READY", "AUDIT FAILS", "REPORT MODE  for 1d 6h", "EXPIRED", "not signed",
                             "! audit log failing: No space left on device", "! last reload failed: line 12", "critical"})
        CHECK(has(text, part));
    s.draining = true, s.audit_healthy = true, s.audit_dropped = 3;
    s.policy.reset();
    const auto other = drawn(p, {}, {30, 120});
    for (const auto* part : {"DRAINING", "AUDIT LOST 3", "NO POLICY"}) CHECK(has(other, part));
}

TEST_CASE("a rate is the difference of two looks, and there is none after a restart or with one look")
{
    const auto row = [](const picture& p) {
        const auto t = table_of(view::clients, p);
        return t.rows[1].cells[1].text;
    };
    CHECK(row(picture_of(small_status(), moved_on(4'096))) == "2.0 KiB");
    CHECK(row(small_picture()) == "0 B");
    CHECK(row(picture_of(moved_on(4'096), small_status())) == "-"); // it went back
    auto young = moved_on(4'096);
    young["uptime_seconds"] = 5;
    CHECK(row(picture_of(small_status(), young)) == "-");
    picture once;
    once.take(read(small_status()), at(1));
    CHECK(row(once) == "-");
    CHECK(has(drawn(once), "up -/s"));
}

TEST_CASE("a reason that was not there before counts from zero")
{
    auto before = small_status();
    before["denied"] = json::array{};
    const auto p = picture_of(before, small_status());
    CHECK(table_of(view::denied, p).rows[0].cells[1].text == "8.5");
    CHECK(has(drawn(p, showing(view::denied)), "no rule of the allowlist names this host"));
}

TEST_CASE("sorting changes the order, the other way round too, and equals stay as they were")
{
    auto p = picture_of(small_status(), moved_on(4'096));
    auto o = showing(view::clients);
    const auto first_is = [&](std::string_view client) {
        const auto text = drawn(p, o);
        const auto other = client.ends_with('7') ? "10.42.0.8" : "10.42.0.7";
        return text.find(client) < text.find(other);
    };
    CHECK(first_is("10.42.0.8")); // by what it uploads now
    o.order_of(view::clients).most_first = false;
    CHECK(first_is("10.42.0.7"));
    o.order_of(view::clients) = *ordering_by(view::clients, "uploaded");
    CHECK(first_is("10.42.0.8"));
    o.order_of(view::clients) = *ordering_by(view::clients, "client");
    CHECK(first_is("10.42.0.7"));
    o.order_of(view::clients) = *ordering_by(view::clients, "tunnels"); // equal
    CHECK(first_is("10.42.0.7"));
    CHECK(has(drawn(p, o), "TUNNELSv"));
    CHECK_FALSE(ordering_by(view::clients, "age"));
    for (const auto v : tables)
        for (const auto& c : columns_of(v)) CHECK(ordering_by(v, c.name));
}

TEST_CASE("severities are in their order and not in the alphabet's")
{
    auto s = small_status();
    s["anomalies"].as_object()["recent"] = json::array{finding_row("info"), finding_row("critical"), finding_row("warning")};
    auto t = table_of(view::findings, picture_of(s, s));
    sort(t, *ordering_by(view::findings, "severity"));
    CHECK(t.rows[0].cells[1].text == "critical");
    CHECK(t.rows[1].cells[1].text == "warning");
    CHECK(t.rows[2].cells[1].text == "info");
}

TEST_CASE("where there is no room the least important columns go first, and a long text is cut")
{
    const auto p = small_picture();
    const auto heading = [&](view v, std::size_t columns) {
        const auto t = table_of(v, p);
        return to_text(to_lines(t, usual_ordering(v), columns, 0, 0)[0]);
    };
    CHECK(has(heading(view::clients, 120), "LAST CUT"));
    CHECK_FALSE(has(heading(view::clients, 80), "LAST CUT"));
    CHECK(has(heading(view::clients, 80), "TUNNELS"));
    CHECK(heading(view::clients, 40) == "CLIENT              UP/Sv   SCORE");
    CHECK(has(heading(view::findings, 40), "CLIENT"));
    CHECK(has(heading(view::tunnels, 250), "ID"));
    CHECK(width(to_lines(table_of(view::clients, p), {}, 5, 0, 9)[1]) == 5);
}

TEST_CASE("a filter leaves the rows that have its words, in any case")
{
    auto o = showing(view::clients);
    o.filter = "TRAINING/10.42.0.8";
    const auto text = drawn(small_picture(), o);
    CHECK(has(text, "training/10.42.0.8"));
    CHECK_FALSE(has(text, "10.42.0.7"));
    CHECK(has(text, "1-1 of 1"));
    o.filter = "nobody";
    CHECK(has(drawn(small_picture(), o), "no clients"));
}

TEST_CASE("the overview has a part of every table, and stands side by side where it is wide")
{
    const auto p = picture_of(crowd(30), crowd(30));
    const auto text = drawn(p);
    for (const auto* part : {"FINDING", "CLIENT", "BUDGET", "ENTRY", "DENIED"}) CHECK(has(text, part));
    const auto wide = drawn(p, {}, {24, 200});
    const auto line = wide.substr(wide.find("CLIENT"), wide.find('\n', wide.find("CLIENT")) - wide.find("CLIENT"));
    CHECK(has(line, "FINDING"));
    auto nothing = small_status();
    nothing["budgets"] = json::array{}, nothing["denied"] = json::array{}, nothing["clients"] = json::array{};
    const auto quiet = drawn(picture_of(nothing, nothing));
    for (const auto* part : {"no budgets", "nothing denied", "no clients"}) CHECK(has(quiet, part));
}

TEST_CASE("what is old says so, and why")
{
    auto p = small_picture();
    p.trouble = "cannot reach http://127.0.0.1:9464: connection refused";
    const auto d = draw(p, {}, {24, 80}, at(114));
    CHECK(has(text_of(d), "!! NO ANSWER for 12s"));
    CHECK(has(text_of(d), "connection refused; trying again every 2s"));
    CHECK(has(text_of(d), "training/10.42.0.7")); // and is still there
    outlook o;
    o.paused = true;
    p.trouble.clear();
    CHECK(has(text_of(draw(p, o, {24, 80}, at(114))), "PAUSED 12s ago"));
    p.take(read(small_status()), at(120));
    CHECK_FALSE(has(drawn(p), "NO ANSWER"));
}

TEST_CASE("tunnels say where in all of them one is, and what is missing")
{
    auto p = small_picture();
    auto o = showing(view::tunnels);
    auto text = drawn(p, o);
    CHECK(has(text, "[fd00:42::7]:41234"));
    CHECK(has(text, "1m 15s"));
    CHECK(has(text, "1-2 of 250, 5,000 in all"));
    p.tunnels.last->page = 3, p.tunnels.last->complete = false;
    text = drawn(p, o);
    CHECK(has(text, "201-202 of 250"));
    CHECK(has(text, "its tunnels are missing"));
    CHECK(has(drawn(p, o, {24, 200}), "throttled"));
    p.tunnels_trouble = "http://127.0.0.1:9464/api/tunnels answers 404";
    CHECK(has(drawn(p, o), "! http://127.0.0.1:9464/api/tunnels answers 404"));
    p.tunnels = {}, p.tunnels_trouble = "";
    CHECK(has(drawn(p, o), "asking for the tunnels"));
}

TEST_CASE("plain text has every row of every view, and no blank at a line's end")
{
    const auto p = picture_of(crowd(50), crowd(50));
    const auto text = plain_text(p, {}, tables);
    for (const auto* part : {"READY", "findings, 3 in all", "clients, 123 known", "training/10.42.1.49", "budgets\n", "entries\n",
                             "denied\n", "tunnels, 5,000 in all", "T1030", "LAST CUT", "a2"})
        CHECK(has(text, part));
    CHECK_FALSE(has(text, " \n"));
    const auto one = plain_text(p, {}, std::array{view::budgets});
    CHECK(has(one, "judge-models"));
    CHECK_FALSE(has(one, "10.42.1.49"));
}
