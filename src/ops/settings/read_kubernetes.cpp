#include <ops/settings/read_kubernetes.hpp>

#include <exeat/identity/pod.hpp>
#include <exeat/limits.hpp>
#include <ops/settings/read_policy.hpp>
#include <ops/text/exeat_toml_keys.hpp>
#include <ops/text/networks.hpp>

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

consteval configuration_key key(std::string_view name) { return key_of(exeat_toml::kubernetes, name); }

void read_networks(section& s, std::vector<ip_prefix>& to)
{
    constexpr auto networks = key("networks");
    if (!s.has(networks.name)) return s.missing(networks);
    for (const auto& t : s.texts(networks).value_or(std::vector<located_text>{})) {
        const auto p = read_network(t, s.wrong());
        if (!p) continue;
        if (std::find(to.begin(), to.end(), *p) != to.end())
            s.wrong().error(t.at, fmt::format("{} is listed twice; remove one", as_shown(t.text)));
        else to.push_back(*p);
    }
    if (const auto* list = s.array(networks.name); list != nullptr && list->empty())
        s.reject(networks.name, fmt::format("'networks' is empty; write networks = {}", networks.example));
}

bool is_host(std::string_view host)
{
    return ip_address::parse(host) || (is_object_name(host) && host.find_first_not_of("0123456789.") != host.npos);
}

// "https://NAME", "https://192.0.2.10:6443", "https://[2001:db8::10]:6443"; a slash may end it.
bool take_server(std::string_view url, api_server_settings& to)
{
    constexpr std::string_view scheme = "https://";
    if (!url.starts_with(scheme)) return false;
    url.remove_prefix(scheme.size());
    if (url.ends_with('/')) url.remove_suffix(1);
    const bool bracketed = url.starts_with('[');
    const auto end = bracketed ? url.find(']') : url.find(':');
    const auto host = url.substr(bracketed, end == url.npos ? url.npos : end - bracketed);
    auto rest = end == url.npos ? std::string_view{} : url.substr(end + bracketed);
    if (!is_host(host) || bracketed != (host.find(':') != host.npos)) return false;
    to.host = host, to.port = 443;
    if (rest.empty()) return true;
    if (!rest.starts_with(':')) return false;
    rest.remove_prefix(1);
    const auto [last, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), to.port);
    return failed == std::errc{} && last == rest.data() + rest.size() && to.port != 0;
}

void read_namespaces(section& s, std::vector<std::string>& to)
{
    constexpr auto namespaces = key("namespaces");
    for (const auto& t : s.texts(namespaces).value_or(std::vector<located_text>{})) {
        if (!is_namespace(t.text)) s.wrong().error(t.at, fmt::format("{} cannot be the name of a namespace", as_shown(t.text)));
        else if (std::find(to.begin(), to.end(), t.text) != to.end())
            s.wrong().error(t.at, fmt::format("{} is listed twice; remove one", as_shown(t.text)));
        else to.emplace_back(t.text);
    }
    if (const auto* list = s.array(namespaces.name); list != nullptr && list->empty())
        s.reject(namespaces.name, "'namespaces' is empty; remove it, and all namespaces are watched");
}

void read_api_server(section& s, api_server_settings& to)
{
    constexpr auto server = key("server"), ca = key("ca"), token = key("token");
    if (const auto url = s.text(server); url && !take_server(*url, to))
        s.reject(server.name, fmt::format("{} is not the API server; write https:// and its name or address, such as server = {}",
                                          as_shown(*url), server.example));
    to.ca = ca.standard, to.token = token.standard;
    if (const auto p = s.text(ca, limits::path_octets)) to.ca = beside_config(s.wrong().file(), *p);
    if (const auto p = s.text(token, limits::path_octets)) to.token = beside_config(s.wrong().file(), *p);
    read_namespaces(s, to.namespaces);
}

} // namespace

void read_kubernetes(section& s, config& c)
{
    constexpr auto file = key("pods_file");
    constexpr std::array<std::string_view, 2> stale_words{"deny", "keep"};
    auto& k = c.kubernetes;
    read_networks(s, k.networks);
    if (!s.has(file.name)) s.missing(file);
    if (const auto p = s.text(file, limits::path_octets)) k.pods_file = beside_config(s.wrong().file(), *p);
    if (const auto t = s.duration(key("wait"))) k.wait = *t;
    if (const auto t = s.duration(key("stale_after"))) k.stale_after = *t;
    k.keeps_stale = s.word(key("when_stale"), stale_words).value_or(0) == 1;
    read_api_server(s, k.api);
}

} // namespace exeat::ops
