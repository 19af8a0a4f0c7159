#include <ops/admin/status_report.hpp>

#include <net/wall_clock.hpp>
#include <ops/admin/client_text.hpp>
#include <ops/admin/finding_report.hpp>
#include <ops/identity/pod_watch.hpp>
#include <ops/metrics/budget_use.hpp>
#include <ops/metrics/metric_families.hpp> // sum
#include <ops/metrics/traffic_totals.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <boost/json.hpp>

namespace exeat::ops {

namespace {

namespace json = boost::json;

// Parentheses, because with braces a text would become an array with one element.
json::value time_or_null(wall_time t) { return t == never ? json::value(nullptr) : json::value(utc(t)); }
json::value moment(std::chrono::system_clock::time_point t) { return json::string{utc(std::chrono::floor<std::chrono::seconds>(t))}; }

json::array texts(const std::vector<std::string>& all)
{
    json::array out;
    for (const auto& text : all) out.emplace_back(text);
    return out;
}

json::value of_policy(const policy_status::view& status, wall_time now)
{
    if (!status.rules) return nullptr;
    const auto& s = status.rules->settings();
    const bool reporting = status.rules->reporting(now);
    return json::object{{"sha256", s.sha256},
                        {"serial", s.serial},
                        {"mode", reporting ? "report" : "enforce"},
                        {"report_until", reporting ? time_or_null(s.report_until) : json::value{}},
                        {"expires", time_or_null(s.expires)},
                        {"entries", status.rules->rules().size()},
                        {"names", status.rules->names().names()},
                        {"approved_by", texts(s.approved_by)},
                        {"generation", status.generation},
                        {"loaded", utc(status.last_success)},
                        {"last_reload_ok", status.last_reload_ok},
                        {"last_error", status.last_error}};
}

json::array of_listeners(const metric_sources& from)
{
    json::array out;
    for (std::size_t i = 0; i < std::min(from.settings.listeners.size(), limits::listeners); ++i) {
        const auto& l = from.settings.listeners[i];
        out.push_back(json::object{
            {"name", l.name()},
            {"mode", std::string{to_string(l.mode)}},
            {"address", l.address.to_string()},
            {"connections_active", sum(from, [i](const net::counters& c) -> const net::counter& { return c.connections_active[i]; })},
            {"connections_total", sum(from, [i](const net::counters& c) -> const net::counter& { return c.connections[i]; })}});
    }
    return out;
}

json::object of_totals(const metric_sources& from, const std::vector<entry_total>& entries)
{
    std::uint64_t allowed = 0, denied = 0, up = 0, down = 0, tunnels = 0;
    for (const auto* worker : from.workers) {
        for (const auto& mode : worker->requests) denied += mode[0].read(), allowed += mode[1].read();
        for (const auto& purpose : worker->tunnels) tunnels += purpose.active.read();
    }
    for (const auto& e : entries) up += e.upload, down += e.download;
    return {{"requests_allowed", allowed},
            {"requests_denied", denied},
            {"upload_bytes", up},
            {"download_bytes", down},
            {"tunnels_active", tunnels}};
}

json::object of_audit(const journal& audit)
{
    const auto counts = audit.counts();
    return {{"healthy", audit.healthy().load()},
            {"error", audit.last_error()},
            {"written", counts.written},
            {"retried", counts.retried},
            {"dropped", counts.dropped}};
}

// Keeps the first limits::status_rows rows in the order of `greater`.
template <class T, class Greater> void keep_first(std::vector<T>& all, Greater greater)
{
    const auto shown = std::min(limits::status_rows, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), all.end(), greater);
    all.resize(shown);
}

json::value text_or_null(const std::string& s) { return s.empty() ? json::value(nullptr) : json::value(json::string{s}); }

json::array of_quarantines(const quarantines& all)
{
    json::array out;
    for (const auto& q : all)
        out.push_back(json::object{{"client", q.client ? json::value(json::string{q.client_text()}) : json::value(nullptr)},
                                   {"service_account", text_or_null(q.service_account)},
                                   {"entry", text_or_null(q.entry)},
                                   {"since", time_or_null(q.since)},
                                   {"until", time_or_null(q.until)},
                                   {"by", q.by},
                                   {"reason", q.reason}});
    return out;
}

json::array of_denied(const metric_sources& from)
{
    auto all = reason_totals(from);
    std::erase_if(all, [](const reason_total& r) { return r.denied == 0; });
    std::stable_sort(all.begin(), all.end(), [](const reason_total& a, const reason_total& b) { return a.denied > b.denied; });
    json::array out;
    for (const auto& r : all) out.push_back(json::object{{"reason", std::string{to_string(r.reason)}}, {"total", r.denied}});
    return out;
}

json::array of_clients(const metric_sources& from, std::vector<metrics::client> named)
{
    const auto larger = [](const metrics::client& a, const metrics::client& b) {
        return std::tuple{a.s.shown.sum(upload), a.s.shown.denied, b.name} > std::tuple{b.s.shown.sum(upload), b.s.shown.denied, a.name};
    };
    // Notable clients come first, however little they transferred.
    keep_first(named, [&](const auto& a, const auto& b) { return a.notable != b.notable ? a.notable : larger(a, b); });
    std::sort(named.begin(), named.end(), larger);
    const auto now = detection::moment_of(std::chrono::system_clock::now());
    json::array out;
    for (const auto& c : named)
        out.push_back(json::object{{"client", c.name},
                                   {"upload_bytes", c.s.shown.sum(upload)},
                                   {"download_bytes", c.s.shown.sum(download)},
                                   {"denied", c.s.shown.denied},
                                   {"tunnels_active", c.s.active},
                                   {"anomaly_score", from.watch.score(from.pods.names().client_at(c.key.source), now)},
                                   {"last_cut", time_or_null(c.s.last_cut == 0 ? never : wall_time{std::chrono::seconds{c.s.last_cut}})}});
    return out;
}

json::array of_entries(std::vector<entry_total> all)
{
    std::erase_if(all, [](const entry_total& e) { return e.upload == 0 && e.download == 0; });
    keep_first(all, [](const entry_total& a, const entry_total& b) {
        return std::tuple{a.upload, a.download, b.entry} > std::tuple{b.upload, b.download, a.entry};
    });
    json::array out;
    for (const auto& e : all)
        out.push_back(json::object{{"entry", e.entry},
                                   {"purpose", std::string{to_string(e.purpose)}},
                                   {"upload_bytes", e.upload},
                                   {"download_bytes", e.download}});
    return out;
}

json::array of_budgets(const metric_sources& from, const client_names& names)
{
    json::array out;
    for (const auto& b : fullest_budgets(from.uploads.book(), from.policy.now(), limits::status_rows))
        out.push_back(json::object{{"client", b.client ? json::value(client_text(*b.client, from)) : json::value(nullptr)},
                                   {"workload", b.client ? workload_or_null(*b.client, from) : json::value(nullptr)},
                                   {"client_name", b.client ? json::value(names.of(*b.client)) : json::value(nullptr)},
                                   {"entry", b.entry ? json::value(*b.entry) : json::value(nullptr)},
                                   {"purpose", std::string{to_string(b.purpose)}},
                                   {"window", std::string{budget_window_words[b.window]}},
                                   {"used_bytes", b.used},
                                   {"assumed_bytes", b.assumed},
                                   {"limit_bytes", b.limit},
                                   {"share", b.share()}});
    return out;
}

// Until when half of each window's budgets counts as spent, and why; null when none does.
json::value of_half_spent(const upload_ledger::half_spent& half)
{
    if (!half.any()) return nullptr;
    json::object out{{"why", half.why}};
    for (std::size_t w = 0; w < budget_windows; ++w)
        out["until_" + std::string{budget_window_words[w]}] = time_or_null(half.until[w].value_or(never));
    return out;
}

json::array of_steps(const recent_tracks::steps& each)
{
    json::array out;
    for (const auto n : each) out.emplace_back(n);
    return out;
}

json::array of_tracks(const recent_tracks& tracks, const char* what, const char* counted)
{
    json::array out;
    for (const auto& t : tracks.largest(limits::history_shown))
        out.push_back(json::object{{what, t.name.empty() ? "_other" : t.name}, {counted, of_steps(t.each)}});
    return out;
}

} // namespace

std::string status_report(const metrics& numbers, const readiness& said, std::chrono::seconds uptime)
{
    const auto& from = numbers.sources();
    const auto policy = from.policy.now();
    auto clients = numbers.clients().named;
    client_series::series_map by_key;
    for (const auto& c : clients) by_key.emplace(c.key, c.s);
    const client_names names{from, by_key};
    const auto known = clients.size();
    auto entries = entry_totals(from);
    const json::object all{{"version", from.version},
                           {"revision", from.revision},
                           {"now", moment(std::chrono::system_clock::now())},
                           {"uptime_seconds", uptime.count()},
                           {"ready", said.ready()},
                           {"draining", policy.draining},
                           {"reasons", texts(said.reasons)},
                           {"warnings", texts(said.warnings)},
                           {"workers", from.workers.size()},
                           {"policy", of_policy(policy, net::wall_now())},
                           {"listeners", of_listeners(from)},
                           {"totals", of_totals(from, entries)},
                           {"audit", of_audit(from.audit)},
                           {"quarantines", of_quarantines(*from.quarantine.now())},
                           {"denied", of_denied(from)},
                           {"clients", of_clients(from, std::move(clients))},
                           {"clients_known", known},
                           {"entries", of_entries(std::move(entries))},
                           {"budgets", of_budgets(from, names)},
                           {"half_spent", of_half_spent(from.uploads.half())},
                           {"anomalies", finding_report(from, names)}};
    return json::serialize(all) + "\n";
}

std::string history_report(history& h)
{
    h.look();
    const json::object all{{"now", moment(std::chrono::system_clock::now())},
                           {"interval_seconds", std::chrono::seconds{limits::history_interval}.count()},
                           {"last_step_seconds", std::chrono::duration<double>{h.last_step()}.count()},
                           {"samples", limits::history_steps},
                           {"upload", of_steps(h.entries().all())},
                           {"download", of_steps(h.download().all())},
                           {"clients", of_tracks(h.clients(), "client", "upload")},
                           {"entries", of_tracks(h.entries(), "entry", "upload")},
                           {"denied", of_tracks(h.denied(), "reason", "count")}};
    return json::serialize(all) + "\n";
}

} // namespace exeat::ops
