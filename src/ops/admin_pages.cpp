#include <ops/admin_pages.hpp>

#include <exeat/request_head.hpp> // equals_ignoring_case
#include <net/wall_clock.hpp>
#include <ops/metric_families.hpp>
#include <ops/utc.hpp>

#include <algorithm>
#include <boost/json.hpp>

namespace exeat::ops {

namespace {

namespace json = boost::json;

bool port_or_nothing(std::string_view rest) noexcept
{
    if (rest.empty()) return true;
    const auto digits = rest.substr(1);
    return rest[0] == ':' && digits.size() <= 5 && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

json::value time_or_null(wall_time t) { return t == never ? json::value{} : json::value{utc(t)}; }

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

json::object of_totals(const metric_sources& from)
{
    std::uint64_t allowed = 0, denied = 0, up = 0, down = 0, tunnels = 0;
    const auto slots = std::min(from.labels.rules().size(), limits::rule_slots);
    for (const auto* worker : from.workers) {
        for (const auto& mode : worker->requests) denied += mode[0].read(), allowed += mode[1].read();
        for (std::size_t slot = 0; slot < slots; ++slot) {
            up += worker->rules[slot].upload.read();
            down += worker->rules[slot].download.read();
        }
        for (const auto& purpose : worker->tunnels) tunnels += purpose.active.read();
    }
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

} // namespace

bool host_is_ours(std::string_view host) noexcept
{
    if (host.starts_with('[')) {
        const auto close = host.find(']');
        if (close == host.npos) return false;
        return ip_address::parse(host.substr(1, close - 1)) && port_or_nothing(host.substr(close + 1));
    }
    const auto colon = std::min(host.find(':'), host.size());
    const auto name = host.substr(0, colon);
    return port_or_nothing(host.substr(colon)) && (equals_ignoring_case(name, "localhost") || ip_address::parse(name));
}

admin_page admin_pages::answer(const admin_request& r) const
{
    if (r.host && !host_is_ours(*r.host))
        return {421, "text/plain; charset=utf-8", "ask for this listener by its IP address or as localhost\n"};
    if (r.method != "GET" && r.method != "HEAD") return {405, "text/plain; charset=utf-8", "GET and HEAD only\n"};
    const auto path = r.target.substr(0, r.target.find('?'));
    if (path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_->text()};
    if (path == "/healthz") return {200, "text/plain; charset=utf-8", "ok\n"};
    if (path == "/readyz") return ready();
    if (path == "/api/status") return status();
    if (path == "/") return index();
    return {404, "text/plain; charset=utf-8", "no such page; / lists what there is\n"};
}

admin_page admin_pages::index() const
{
    return {200, "text/plain; charset=utf-8",
            "exeat " + metrics_->sources().version +
                "\n\n"
                "/metrics     numbers for Prometheus\n"
                "/healthz     the process answers\n"
                "/readyz      it should get traffic, or why not\n"
                "/api/status  what runs and what is enforced, as JSON\n"};
}

readiness admin_pages::judge() const
{
    const auto& from = metrics_->sources();
    return judge_readiness(from.policy.now(), {from.audit.healthy(), from.audit.last_error(), from.settings.on_audit_failure},
                           net::wall_now());
}

admin_page admin_pages::ready() const
{
    const auto said = judge();
    return {said.ready() ? 200u : 503u, "text/plain; charset=utf-8", said.to_string()};
}

admin_page admin_pages::status() const
{
    const auto& from = metrics_->sources();
    const auto said = judge();
    const auto up = std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - since_);
    const json::object all{{"version", from.version},         {"revision", from.revision},
                           {"uptime_seconds", up.count()},    {"ready", said.ready()},
                           {"reasons", texts(said.reasons)},  {"warnings", texts(said.warnings)},
                           {"workers", from.workers.size()},  {"policy", of_policy(from.policy.now(), net::wall_now())},
                           {"listeners", of_listeners(from)}, {"totals", of_totals(from)},
                           {"audit", of_audit(from.audit)}};
    return {200, "application/json", json::serialize(all) + "\n"};
}

} // namespace exeat::ops
