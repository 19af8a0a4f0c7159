#include <ops/policy/allowlist_entries.hpp>

#include <ops/policy/read_budgets.hpp>
#include <ops/policy/shared_suffixes.hpp>
#include <ops/text/allowlist_toml_keys.hpp>
#include <ops/text/did_you_mean.hpp>
#include <ops/text/host_text.hpp>
#include <ops/text/networks.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>

namespace exeat::ops {

namespace {

consteval toml_key key(std::string_view name) { return key_of(allowlist_toml::allow, name); }

constexpr std::array<std::string_view, 3> protocol_words{"tls", "http", "tcp"};
constexpr std::array<std::string_view, purposes> purpose_words{"pull", "api", "telemetry", "push"};

class entry_reader {
public:
    entry_reader(const std::vector<group>& groups, wall_time now) : now_{now}
    {
        for (const auto& g : groups) group_words_.push_back(g.name);
    }

    entry read(section& s, rule_kind kind)
    {
        entry e;
        e.value.kind = kind;
        e.value.file = s.wrong().file();
        e.value.line = s.where().line;
        read_name(s, e.value);
        if (kind != rule_kind::deny) read_grant(s, e.value);
        if (kind != rule_kind::deny) read_shared_suffix(s, e);
        if (kind == rule_kind::private_link) {
            read_link_networks(s, e.value);
            e.within_at = s.where("within"), e.addresses_at = s.where("addresses");
        }
        read_ports(s, e.value);
        read_entry_groups(s, e.value);
        read_hosts(s, e);
        if (kind != rule_kind::deny) read_wildcard_names(s, e);
        if (kind != rule_kind::deny) read_max_age(s, e.value);
        e.value.owner = s.text(key("owner")).value_or("");
        e.value.reason = s.text(key("reason")).value_or("");
        e.value.ticket = s.text(key("ticket")).value_or("");
        s.done();
        return e;
    }

private:
    void read_name(section& s, rule& r)
    {
        constexpr auto name = key("name");
        if (!s.has(name.name)) return s.missing(name);
        const auto text = s.text(name);
        if (!text) return;
        if (!label_like(*text)) return s.reject(name.name, fmt::format("{} cannot be a name; {}", as_shown(*text), name_advice));
        const auto [known, added] = names_.try_emplace(*text, r.line);
        if (!added)
            return s.reject(name.name,
                            fmt::format("the name {} is taken by the entry in line {}; choose another", as_shown(*text), known->second));
        r.name = *text;
    }

    // Reads the keys of an entry that is not a [[deny]].
    void read_grant(section& s, rule& r)
    {
        if (s.has("protocol") && s.is("protocol", "https"))
            s.reject("protocol", "'https' is called tls here, which is also what holds without 'protocol'; write protocol = \"tls\"");
        else if (const auto p = s.word(key("protocol"), protocol_words)) r.protocol = static_cast<protocol>(*p);
        if (const auto p = s.word(key("purpose"), purpose_words)) r.purpose = static_cast<purpose>(*p);
        if (const auto e = s.word(key("ech"), ech_policy_words)) r.ech = static_cast<ech_policy>(*e);
        if (r.ech != ech_policy::deny && r.protocol != protocol::tls) s.reject("ech", "'ech' is for protocol = \"tls\"; remove it");
        if (const auto t = s.moment(key("expires"))) {
            r.expires = *t;
            if (*t <= now_)
                s.wrong().warning(s.where("expires"), "this entry has expired and lets nothing out; remove it or renew 'expires'");
        }
        read_entry_budgets(s, r);
    }

    static void read_shared_suffix(section& s, entry& e) { e.shared_suffix = s.text(key("shared_suffix")).value_or(""); }

    void read_ports(section& s, rule& r)
    {
        const bool raw = r.protocol == protocol::tcp, plain = r.protocol == protocol::http;
        const toml_key ports{"ports", raw ? "[22]" : plain ? "[80]" : "[443]"};
        if (auto p = s.ports(ports)) r.ports = std::move(*p);
        else if (s.has(ports.name) || r.kind == rule_kind::deny) return; // a deny without ports applies to every port
        else if (raw) s.wrong().error(s.where(), fmt::format("protocol = \"tcp\" has no usual port; add ports = {}", ports.example));
        else r.ports = {static_cast<std::uint16_t>(plain ? 80 : 443)};
    }

    void read_entry_groups(section& s, rule& r)
    {
        constexpr auto groups = key("groups");
        const auto written = s.texts(groups);
        if (!written) return;
        r.groups.reset();
        if (written->empty()) s.reject(groups.name, "'groups' is empty; name groups, or remove it for every group");
        for (const auto& [text, where] : *written) {
            const auto found = std::find(group_words_.begin(), group_words_.end(), text);
            if (found != group_words_.end()) r.groups.set(static_cast<std::size_t>(found - group_words_.begin()));
            else
                s.wrong().error(where, fmt::format("there is no group {}{}", as_shown(text),
                                                   did_you_mean(text, group_words_,
                                                                fmt::format("add [groups.{}] or fix the name",
                                                                            text.empty() ? "NAME" : as_shown(text)))));
        }
    }

    void read_hosts(section& s, entry& e)
    {
        constexpr auto hosts = key("hosts"), hosts_file = key("hosts_file");
        for (const auto& [text, where] : s.texts(hosts).value_or(std::vector<located_text>{})) {
            if (e.value.kind == rule_kind::deny && written_as_network(text)) {
                if (const auto network = read_network({text, where}, s.wrong())) e.networks.push_back({*network, where});
            } else read_host(s, {text, where}, e);
        }
        if (const auto file = s.text(hosts_file, limits::path_octets)) read_path(s, *file, e);
        if (!s.has(hosts.name) && !s.has(hosts_file.name))
            s.wrong().error(s.where(), fmt::format("this entry names no host; add hosts = {}", hosts.example));
        else if (const auto* list = s.array(hosts.name); list != nullptr && list->empty() && !s.has(hosts_file.name))
            s.reject(hosts.name, fmt::format("'hosts' is empty; write hosts = {}", hosts.example));
    }

    static void read_host(section& s, const located_text& t, entry& e)
    {
        auto host = host_pattern::parse(t.text);
        const auto objection = host ? objection_to(*host, e) : explain_bad_host(t.text);
        if (objection.empty()) e.hosts.push_back({std::move(*host), t.at});
        else s.wrong().error(t.at, objection);
    }

    static void read_max_age(section& s, rule& r)
    {
        if (r.purpose == purpose::pull) r.max_age = limits::pull_max_age;
        if (const auto age = s.duration(key("max_age"))) r.max_age = std::chrono::floor<std::chrono::seconds>(*age);
    }

    static void read_wildcard_names(section& s, entry& e)
    {
        constexpr auto names = key("names");
        const auto most = s.integer(names);
        if (!most) return;
        e.value.wildcard_names = static_cast<std::uint32_t>(*most);
        const auto wild = [](const located_host& h) { return h.pattern.how != host_pattern::reach::exact; };
        if (e.hosts_file.empty() && std::none_of(e.hosts.begin(), e.hosts.end(), wild))
            s.wrong().warning(s.where(names.name), "'names' bounds what a wildcard may stand for, and this entry has none; remove it");
    }

    // The file must be beside the allowlist, so that the same people may write both.
    static void read_path(section& s, const std::string& text, entry& e)
    {
        const std::filesystem::path path{text};
        const bool outside = path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
        if (outside)
            return s.reject("hosts_file", fmt::format("{} leads out of the allowlist's directory; put the file beside it", as_shown(text)));
        e.hosts_file = (std::filesystem::path{s.wrong().file()}.parent_path() / path).string();
        e.hosts_file_at = s.where("hosts_file");
    }

    wall_time now_;
    std::vector<std::string_view> group_words_;
    std::map<std::string, std::uint32_t> names_; // name → line
};

} // namespace

bool label_like(std::string_view name) noexcept
{
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const auto inner = [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; };
    return !name.empty() && name.size() <= limits::rule_name_octets && plain(name.front()) && std::all_of(name.begin(), name.end(), inner);
}

std::string objection_to(const host_pattern& host, const entry& e)
{
    auto said = objection_to(host, e.value);
    if (said.empty() && e.value.kind != rule_kind::deny && e.shared_suffix.empty()) said = wildcard_objection(host);
    return said;
}

namespace {

std::vector<std::string> read_words(section& s, toml_key key, bool (*is_one)(std::string_view) noexcept, std::string_view form)
{
    std::vector<std::string> out;
    const auto all = s.texts(key);
    for (const auto& [text, where] : all.value_or(std::vector<located_text>{})) {
        if (!is_one(text)) s.wrong().error(where, fmt::format("{} is not {}; write {} = {}", as_shown(text), form, key.name, key.example));
        else if (std::find(out.begin(), out.end(), text) != out.end())
            s.wrong().error(where, fmt::format("{} is listed twice; remove one", as_shown(text)));
        else out.emplace_back(text);
    }
    if (all && all->empty()) s.reject(key.name, fmt::format("'{0}' is empty; write {0} = {1}, or remove it", key.name, key.example));
    return out;
}

// Of the group's keys all but its mode.
void read_members(section& s, group& g)
{
    constexpr auto accounts = key_of(allowlist_toml::groups, "service_accounts"), spaces = key_of(allowlist_toml::groups, "namespaces"),
                   instances = key_of(allowlist_toml::groups, "instances");
    g.workloads.service_accounts = read_words(s, accounts, is_service_account, "a service account, as namespace/name");
    g.workloads.namespaces = read_words(s, spaces, is_namespace, "the name of a namespace");
    if (s.has("sources") || (!s.has(accounts.name) && !s.has(spaces.name))) g.sources = read_sources(s);
    if (const auto n = s.integer(instances)) g.instances = static_cast<std::uint32_t>(*n);
}

} // namespace

std::vector<group> read_groups(section& root)
{
    std::vector<group> out;
    const auto* all = root.table({"groups", "{ training = { sources = [\"10.42.0.0/16\"] } }"});
    if (all == nullptr) return out;
    if (all->size() > limits::groups) {
        root.reject("groups", fmt::format("there are {} groups; {} at most, so join some", all->size(), limits::groups));
        return out;
    }
    for (const auto& [name, node] : *all) {
        const auto* t = node.as_table();
        if (!label_like(name.str()))
            root.wrong().error(at(name.source()), fmt::format("{} cannot be a group's name; {}", as_shown(name.str()), name_advice));
        if (t == nullptr) {
            root.wrong().error(at(name.source()),
                               fmt::format("a group is a table; write [groups.{}] and sources = [\"10.42.0.0/16\"]", as_shown(name.str())));
            continue;
        }
        section s{*t, fmt::format("[groups.{}]", name.str()), root.wrong()};
        constexpr auto identities = key_of(allowlist_toml::groups, "identities");
        if (const auto i = s.texts(identities); i && !i->empty()) s.not_enforced(identities);
        const bool report = s.word(key_of(allowlist_toml::groups, "mode"), mode_words).value_or(0) == 1;
        group g;
        g.name = name.str(), g.line = s.where().line, g.report = report;
        read_members(s, g);
        out.push_back(std::move(g));
        s.done();
    }
    return out;
}

std::vector<entry> read_entries(section& root, const std::vector<group>& groups, wall_time now)
{
    std::vector<entry> out;
    entry_reader reader{groups, now};
    for (const auto kind : {rule_kind::allow, rule_kind::private_link, rule_kind::deny}) {
        const auto word = to_string(kind);
        for (const auto* t : root.tables({word, ""}, limits::rules)) {
            section s{*t, fmt::format("[[{}]]", word), root.wrong()};
            out.push_back(reader.read(s, kind));
        }
    }
    if (out.size() > limits::rules)
        root.wrong().error({}, fmt::format("there are {} entries; {} at most, so join some", out.size(), limits::rules));
    return out;
}

} // namespace exeat::ops
