#include <ops/admin/admin_pages.hpp>

#include <embedded.hpp>
#include <exeat/request_head.hpp> // equals_ignoring_case
#include <net/wall_clock.hpp>
#include <ops/admin/status_report.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

bool port_or_nothing(std::string_view rest) noexcept
{
    if (rest.empty()) return true;
    const auto digits = rest.substr(1);
    return rest[0] == ':' && digits.size() <= 5 && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

constexpr std::string_view json_type = "application/json";

} // namespace

admin_page plain_page(unsigned status, std::string text) { return {status, "text/plain; charset=utf-8", std::move(text)}; }

bool host_is_ours(std::string_view host, std::span<const std::string> names) noexcept
{
    if (host.starts_with('[')) {
        const auto close = host.find(']');
        if (close == host.npos) return false;
        return ip_address::parse(host.substr(1, close - 1)) && port_or_nothing(host.substr(close + 1));
    }
    const auto colon = std::min(host.find(':'), host.size());
    auto name = host.substr(0, colon);
    if (!port_or_nothing(host.substr(colon))) return false;
    if (ip_address::parse(name)) return true;
    if (name.ends_with('.')) name.remove_suffix(1);
    const auto named = [name](std::string_view ours) { return equals_ignoring_case(name, ours); };
    return named("localhost") || std::any_of(names.begin(), names.end(), named);
}

admin_answer admin_pages::answer(const admin_request& r)
{
    if (r.host && !host_is_ours(*r.host, metrics_->sources().settings.admin_names))
        return plain_page(421,
                          "the admin listener does not answer by the name in this Host field: ask by its IP address or as localhost, or "
                          "add the name to 'names' in [admin] of exeat.toml and restart exeat\n");
    if (r.method != "GET" && r.method != "HEAD") return plain_page(405, "GET and HEAD only\n");
    const auto path = r.target.substr(0, r.target.find('?'));
    if (path == "/metrics") return admin_page{200, "text/plain; version=0.0.4; charset=utf-8", metrics_->text()};
    if (path == "/healthz") return plain_page(200, "ok\n");
    if (path == "/readyz") return ready();
    if (path == "/api/status") return status();
    if (path == "/api/history") return recent();
    if (path == "/api/tunnels") return tunnels(r.target);
    if (path == "/") return admin_page{200, "text/html; charset=utf-8", std::string{embedded::status_page}, embedded::status_page_security};
    return plain_page(404, "no such page: there are / /metrics /healthz /readyz /api/status /api/history /api/tunnels\n");
}

readiness admin_pages::judge() const
{
    const auto& from = metrics_->sources();
    const audit_state audit{from.audit.healthy(), from.audit.last_error(), from.settings.on_audit_failure};
    return judge_readiness(from.policy.now(), {audit, from.dns_servers > 0, from.quarantine.error()}, net::wall_now());
}

admin_page admin_pages::ready() const
{
    const auto said = judge();
    return plain_page(said.ready() ? 200 : 503, said.to_string());
}

admin_page admin_pages::status()
{
    return status_.answer([this] {
        const auto up = std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - since_);
        return status_report(*metrics_, judge(), up);
    });
}

admin_page admin_pages::recent()
{
    return recent_.answer([this] { return history_report(*history_); });
}

admin_answer admin_pages::tunnels(std::string_view target) const
{
    auto asked = parse_tunnel_page(target, metrics_->sources().labels);
    if (!asked) return plain_page(400, asked.error() + "\n");
    return std::move(*asked);
}

admin_page admin_pages::tunnels(const tunnel_page& asked, std::optional<tunnels_found> found) const
{
    if (!found) return plain_page(503, "too many ask for the tunnels; try again\n");
    return {200, json_type, tunnel_report(asked, std::move(found->all), found->complete, metrics_->sources().labels)};
}

admin_page admin_pages::kept::answer(const std::function<std::string()>& make)
{
    const auto now = std::chrono::steady_clock::now();
    if (text.empty() || now - made >= limits::report_age) text = make(), made = now;
    return {200, json_type, text};
}

} // namespace exeat::ops
