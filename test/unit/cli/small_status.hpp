// Answers of the admin listener as a test wants them, and what they look like.
#pragma once

#include <cli/live/draw.hpp>

#include <boost/json.hpp>

#include <doctest/doctest.h>
#include <string>
#include <string_view>

namespace exeat::testing {

namespace json = boost::json;
using namespace cli::live;

inline json::object client_row(std::string_view name, std::uint64_t upload, double score = 0)
{
    return {{"client", name},      {"upload_bytes", upload}, {"download_bytes", 0}, {"denied", 0},
            {"tunnels_active", 1}, {"anomaly_score", score}, {"last_cut", nullptr}};
}

inline json::object finding_row(std::string_view severity, std::string_view client = "training/10.42.0.3")
{
    return {{"at", "2026-11-25T03:29:00Z"}, {"detector", "drip"}, {"severity", severity}, {"action", "observe"},   {"technique", "T1030"},
            {"client_name", client},        {"entry", nullptr},   {"value", 64000001.0},  {"threshold", 64000000}, {"score", 20.5}};
}

inline json::object budget_row(std::string_view client, double share)
{
    return {{"client_name", client}, {"entry", "judge-models"}, {"purpose", "api"}, {"window", "1h"},
            {"used_bytes", 93},      {"limit_bytes", 100},      {"share", share}};
}

inline json::object tunnel_row(std::string_view id, std::uint64_t upload)
{
    return {{"id", id},
            {"client", "fd00:42::7"},
            {"client_port", 41234},
            {"group", "training"},
            {"entry", "judge-models"},
            {"purpose", "api"},
            {"mode", "connect"},
            {"host", "a.test"},
            {"port", 443},
            {"address", "192.0.2.7"},
            {"age_seconds", 75.9},
            {"upload_bytes", upload},
            {"download_bytes", 2},
            {"ech", false},
            {"throttled", true}};
}

// One of everything.
inline json::object small_status()
{
    json::object policy{{"sha256", "3c5f9a1b2c3d4e5f"}, {"serial", 7},        {"mode", "enforce"},
                        {"report_until", nullptr},      {"expires", nullptr}, {"approved_by", json::array{"0011223344556677"}}};
    json::object totals{
        {"requests_allowed", 10}, {"requests_denied", 20}, {"upload_bytes", 1'000}, {"download_bytes", 2'000}, {"tunnels_active", 5'000}};
    return {
        {"version", "0.1.0"},
        {"now", "2026-11-25T03:30:00Z"},
        {"uptime_seconds", 93'600},
        {"ready", true},
        {"draining", false},
        {"reasons", json::array{}},
        {"warnings", json::array{}},
        {"policy", std::move(policy)},
        {"totals", std::move(totals)},
        {"audit", json::object{{"healthy", true}, {"error", ""}, {"dropped", 0}}},
        {"denied", json::array{json::object{{"reason", "not_allowed"}, {"total", 17}}}},
        {"clients", json::array{client_row("training/10.42.0.7", 5'000), client_row("training/10.42.0.8", 4'000, 20.5)}},
        {"clients_known", 123},
        {"entries", json::array{json::object{{"entry", "judge-models"}, {"purpose", "api"}, {"upload_bytes", 1}, {"download_bytes", 2}}}},
        {"budgets", json::array{budget_row("10.42.0.7", 0.93)}},
        {"anomalies", json::object{{"total", 3}, {"recent", json::array{finding_row("critical")}}}}};
}

inline json::object small_tunnels()
{
    return {{"page", 1},       {"pages", 3},       {"total", 5'000},
            {"matching", 250}, {"complete", true}, {"tunnels", json::array{tunnel_row("a1", 7), tunnel_row("a2", 6)}}};
}

inline status_answer read(const json::object& status, charset can = charset::utf8)
{
    auto out = read_status(json::serialize(status), can);
    REQUIRE_MESSAGE(out.has_value(), (out ? "" : out.error()));
    return *out;
}

inline moment at(int seconds) { return moment{} + std::chrono::seconds{seconds}; }

// Of two looks, two seconds apart.
inline picture picture_of(const json::object& before, const json::object& now)
{
    picture p;
    p.host = "127.0.0.1:9464";
    p.can = charset::utf8;
    p.take(read(before), at(100));
    p.take(read(now), at(102));
    p.take(*read_tunnels(json::serialize(small_tunnels()), charset::utf8), at(102));
    return p;
}

inline picture small_picture() { return picture_of(small_status(), small_status()); }

inline std::string text_of(const drawing& d)
{
    std::string out;
    for (const auto& l : d.lines) out += to_text(l) + "\n";
    return out;
}

inline std::string drawn(const picture& p, const outlook& o = {}, extent size = {24, 80}) { return text_of(draw(p, o, size, at(103))); }

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

} // namespace exeat::testing
