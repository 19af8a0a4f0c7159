#include <ops/settings/load_config.hpp>

#include <exeat/hostname.hpp>
#include <exeat/limits.hpp>
#include <ops/approvals/signed_list.hpp>
#include <ops/files/file_source.hpp>
#include <ops/process/usable_cores.hpp>
#include <ops/settings/read_audit.hpp>
#include <ops/settings/read_detectors.hpp>
#include <ops/settings/read_kubernetes.hpp>
#include <ops/settings/read_policy.hpp>
#include <ops/settings/read_site.hpp>
#include <ops/text/endpoint_text.hpp>
#include <ops/text/exeat_toml_keys.hpp>
#include <ops/text/networks.hpp>
#include <ops/text/quantity.hpp>
#include <ops/text/section.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr std::array<std::string_view, listen_modes> mode_words{"proxy", "transparent", "sni"};
constexpr std::array<std::string_view, 2> via_words{"redirect", "tproxy"};
constexpr std::array<configuration_key, client_rate_words.size()> rate_keys{
    key_of(exeat_toml::bounds, "connections_per_second"), key_of(exeat_toml::bounds, "requests_per_second"),
    key_of(exeat_toml::bounds, "refusals_per_second"), key_of(exeat_toml::bounds, "log_lines_per_second")};

// The keys of one table of the file.
consteval toml_key listen(std::string_view name) { return key_of(exeat_toml::listen, name); }
consteval toml_key admin(std::string_view name) { return key_of(exeat_toml::admin, name); }
consteval toml_key dns(std::string_view name) { return key_of(exeat_toml::dns, name); }
consteval toml_key bounds(std::string_view name) { return key_of(exeat_toml::bounds, name); }
consteval toml_key sandbox(std::string_view name) { return key_of(exeat_toml::sandbox, name); }

std::optional<endpoint> read_endpoint(section& s, toml_key key)
{
    const auto text = s.text(key);
    if (!text) return std::nullopt;
    const auto e = parse_endpoint(*text);
    if (e) return e;
    const auto usual = parse_endpoint(key.example.substr(1, key.example.size() - 2));
    const auto meant = meant_endpoint(*text, usual ? usual->port : 0);
    s.reject(key.name, fmt::format("{} is not an address and port; write {} = {}", as_shown(*text), key.name,
                                   meant ? "\"" + meant->to_string() + "\"" : std::string{key.example}));
    return std::nullopt;
}

bool unspecified(const ip_address& a) noexcept { return a == ip_address{} || a == ip_address::v4(0); }

// Whether both sockets would accept the same connections.
bool overlap(const endpoint& a, const endpoint& b) noexcept
{
    if (a.port != b.port || a.address.is_v4() != b.address.is_v4()) return false;
    return a.address == b.address || unspecified(a.address) || unspecified(b.address);
}

// The listener's own name, or that of the mode. A FileDescriptorName= of systemd may contain more characters (systemd.socket(5)), but not
// all are readable in a log.
void read_socket_name(section& s, listener& l)
{
    constexpr auto name = listen("name");
    constexpr std::string_view usual = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    l.socket = to_string(l.mode);
    const auto own = s.text(name, limits::rule_name_octets);
    if (!own) return;
    if (own->find_first_not_of(usual) != own->npos)
        s.reject(name.name,
                 fmt::format("{} is not the name of a socket; write lower-case letters, digits, '-', '_' and '.'", as_shown(*own)));
    if (*own == admin_socket) s.reject(name.name, "\"admin\" is the name of the admin page's socket; choose another");
    l.socket = *own;
}

listener read_listener(section& s)
{
    listener l;
    constexpr auto mode = listen("mode"), address = listen("address"), via = listen("via"), port = listen("port");
    if (!s.has(mode.name)) s.missing(mode);
    const auto m = s.word(mode, mode_words);
    if (m) l.mode = static_cast<listen_mode>(*m);
    if (!s.has(address.name)) s.missing(address);
    if (const auto e = read_endpoint(s, address)) l.address = *e;
    if (const auto v = s.word(via, via_words)) l.via = static_cast<intercept>(*v);
    if (m && s.has(via.name) && l.mode != listen_mode::transparent) s.reject(via.name, "'via' is for mode = \"transparent\"; remove it");
    l.port = l.mode == listen_mode::sni ? 443 : 0;
    if (const auto p = s.integer(port)) l.port = static_cast<std::uint16_t>(*p);
    if (m && s.has(port.name) && l.mode != listen_mode::sni)
        s.reject(port.name, "'port' is for mode = \"sni\"; remove it (the port to listen on belongs in 'address')");
    read_socket_name(s, l);
    l.senders = read_proxy_senders(s);
    s.not_enforced(listen("tls"));
    s.done();
    return l;
}

void read_listeners(section& root, config& c)
{
    const auto all = root.tables({"listen", ""}, limits::listeners);
    if (!root.has("listen"))
        root.wrong().error({1, 1}, "there is no [[listen]]; add one with mode = \"proxy\" and address = \"127.0.0.1:3128\"");
    for (const auto* t : all) {
        section s{*t, "[[listen]]", root.wrong()};
        const auto l = read_listener(s);
        const auto same =
            std::find_if(c.listeners.begin(), c.listeners.end(), [&](const listener& o) { return overlap(o.address, l.address); });
        if (l.address.port != 0 && same != c.listeners.end())
            s.reject("address", fmt::format("\"{}\" is taken by another [[listen]] ({}); choose another port", l.address.to_string(),
                                            same->address.to_string()));
        c.listeners.push_back(l);
    }
}

// Returns what is wrong with the name. A single label is valid: a service has such a name in its own namespace.
std::string objection_to_admin_name(std::string_view name)
{
    if (ip_address::parse(name) || name.starts_with('['))
        return fmt::format("{} is an address, and by its address this listener always answers; remove it", as_shown(name));
    if (hostname::parse(name) || hostname::parse(fmt::format("{}.test", name))) return {};
    const auto* what = name.find(':') != name.npos   ? "leave the port away"
                       : name.find('*') != name.npos ? "write each name in full, without '*'"
                                                     : "write it like \"exeat-admin.egress.svc\", ASCII only";
    return fmt::format("{} is not the name of a host; {}", as_shown(name), what);
}

void read_admin_names(section& s, config& c)
{
    for (const auto& [text, where] : s.texts(admin("names")).value_or(std::vector<located_text>{})) {
        const auto wrong = objection_to_admin_name(text);
        if (wrong.empty()) c.admin_names.emplace_back(text.ends_with('.') ? text.substr(0, text.size() - 1) : text);
        else s.wrong().error(where, wrong);
    }
}

void read_admin(section& s, config& c)
{
    read_admin_names(s, c);
    constexpr auto address = admin("address");
    if (const auto e = read_endpoint(s, address)) c.admin = *e;
    const auto same = std::find_if(c.listeners.begin(), c.listeners.end(), [&](const listener& o) { return overlap(o.address, c.admin); });
    if (same != c.listeners.end())
        s.reject(address.name, fmt::format("the admin address {} is taken by a [[listen]]; choose another port", c.admin.to_string()));
}

void read_dns(section& s, config& c)
{
    for (const auto& [text, where] : s.texts(dns("servers")).value_or(std::vector<located_text>{})) {
        const auto e = parse_endpoint(text, 53);
        if (!e) s.wrong().error(where, fmt::format("{} is not a DNS server; write \"ip\", \"ip:port\" or \"[v6]:port\"", as_shown(text)));
        else if (std::find(c.dns_servers.begin(), c.dns_servers.end(), *e) != c.dns_servers.end())
            s.wrong().error(where, fmt::format("{} is listed twice; remove one", as_shown(text)));
        else c.dns_servers.push_back(*e);
    }
    if (const auto t = s.duration(dns("timeout"))) c.dns_timeout = *t;
}

void read_sandbox(section& s, config& c)
{
    constexpr std::array<std::string_view, 2> restrict_words{"restrict", "off"}, root_words{"warn", "allow"};
    auto& box = c.sandbox;
    if (const auto w = s.word(sandbox("system_calls"), restrict_words)) box.system_calls = *w == 0;
    if (const auto w = s.word(sandbox("files"), restrict_words)) box.files = *w == 0;
    if (const auto w = s.word(sandbox("root"), root_words)) box.root_expected = *w == 1;
    for (const auto& [text, where] : s.texts(sandbox("read")).value_or(std::vector<located_text>{})) {
        if (text.empty() || text.size() > limits::path_octets || text.find('\0') != text.npos)
            s.wrong().error(where, fmt::format("{} is not a path; write it like \"/srv/lists\"", as_shown(text)));
        else box.read.push_back(beside_config(s.wrong().file(), std::string{text}));
    }
}

void read_limits(section& s, config& c)
{
    const auto count = [&](toml_key key, std::size_t& to) {
        if (const auto n = s.integer(key)) to = static_cast<std::size_t>(*n);
    };
    const auto time = [&](toml_key key, std::chrono::milliseconds& to) {
        if (const auto t = s.duration(key)) to = *t;
    };
    count(bounds("workers"), c.workers);
    count(bounds("connections"), c.connections);
    count(bounds("connections_per_source"), c.connections_per_source);
    for (std::size_t i = 0; i < rate_keys.size(); ++i) count(rate_keys[i], c.rates[i]);
    time(bounds("head_timeout"), c.head_timeout);
    time(bounds("hello_timeout"), c.hello_timeout);
    time(bounds("connect_timeout"), c.connect_timeout);
    time(bounds("idle_timeout"), c.idle_timeout);
    time(bounds("drain_timeout"), c.drain_timeout);
}

template <class Read> void read_section(section& root, std::string_view name, bool required, config& c, Read read)
{
    const toml::table none;
    const auto* t = root.table({name, "{}"});
    if (t == nullptr && required && !root.has(name))
        root.wrong().error({1, 1}, fmt::format("there is no [{}]; add [policy] with allowlist = \"/etc/exeat/allowlist.toml\"", name));
    section s{t != nullptr ? *t : none, fmt::format("[{}]", name), root.wrong()};
    if (t == nullptr && required) return;
    read(s, c);
    s.done();
}

config defaults()
{
    config c;
    c.admin = {ip_address::v4(0x7f000001), 9464};
    c.audit_path = "/var/log/exeat/audit.jsonl";
    return c;
}

config read_all(section& root)
{
    config c = defaults();
    read_listeners(root, c);
    read_section(root, "admin", false, c, read_admin);
    read_section(root, "policy", true, c, read_policy);
    read_section(root, "dns", false, c, read_dns);
    read_section(root, "network", false, c, [](section& s, config& to) { read_site(s, to.network); });
    if (root.has("kubernetes")) read_section(root, "kubernetes", false, c, read_kubernetes);
    read_section(root, "audit", false, c, read_audit);
    read_section(root, "limits", false, c, read_limits);
    read_section(root, "sandbox", false, c, read_sandbox);
    read_detectors(root, c.detect);
    root.done();
    if (c.workers == 0) c.workers = std::min(usable_cores(), limits::workers);
    return c;
}

} // namespace

loaded_config load_config(const std::string& path)
{
    loaded_config out;
    diagnostics wrong{path};
    const auto text = read_whole(path, limits::config_bytes);
    if (text) out.sha256 = sha256_of(*text);
    else wrong.error({}, text.error());
    if (const auto tree = text ? parse_toml(*text, wrong) : std::nullopt) {
        section root{*tree, "", wrong};
        auto c = read_all(root);
        if (!wrong.failed()) out.value = std::move(c);
    }
    wrong.move_to(out.problems);
    return out;
}

} // namespace exeat::ops
