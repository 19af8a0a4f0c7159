#include <exeat/rule.hpp>

#include <algorithm>

namespace exeat {

std::string_view to_string(rule_kind k) noexcept
{
    switch (k) {
    case rule_kind::allow: return "allow";
    case rule_kind::private_link: return "private_link";
    case rule_kind::deny: return "deny";
    }
    return "?";
}

std::string_view to_string(protocol p) noexcept
{
    switch (p) {
    case protocol::tls: return "tls";
    case protocol::http: return "http";
    case protocol::tcp: return "tcp";
    }
    return "?";
}

std::string_view to_string(purpose p) noexcept
{
    switch (p) {
    case purpose::pull: return "pull";
    case purpose::api: return "api";
    case purpose::telemetry: return "telemetry";
    case purpose::push: return "push";
    }
    return "?";
}

bool rule::takes(std::uint16_t port) const noexcept
{
    return std::find(ports.begin(), ports.end(), port) != ports.end(); // at most limits::ports_per_rule
}

bool rule::denies(const group_set& of, std::uint16_t port) const noexcept { return (groups & of).any() && (ports.empty() || takes(port)); }

upload_limits default_upload(purpose p) noexcept
{
    constexpr std::uint64_t mib = 1024 * 1024;
    switch (p) {
    case purpose::pull: return {{4 * mib, 16 * mib, 64 * mib}, true};
    case purpose::api: return {{64 * mib, 512 * mib, 2'000 * mib}, false};
    case purpose::telemetry: return {{96 * mib, 384 * mib, 1'500 * mib}, false};
    case purpose::push: break;
    }
    return {};
}

} // namespace exeat
