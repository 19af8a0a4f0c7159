#include <ops/offline/smokescreen_acl.hpp>

#include <ops/offline/yaml_tree.hpp>
#include <ops/policy/shared_suffixes.hpp>
#include <ops/text/did_you_mean.hpp>
#include <ops/text/host_text.hpp>
#include <ops/text/networks.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr std::array<std::string_view, 5> top_keys{"version", "services", "default", "global_allow_list", "global_deny_list"};
constexpr std::array<std::string_view, 6> role_keys{"name",        "project", "action", "allowed_domains", "allowed_external_proxies",
                                                    "mitm_domains"};
constexpr std::array<std::string_view, 3> actions{"open", "report", "enforce"};

enum class grants : std::uint8_t { out, nothing }; // whether a list of hosts opens or closes them

class acl_reader {
public:
    explicit acl_reader(diagnostics& wrong) : wrong_{wrong} {}

    std::optional<smokescreen_acl> read(const yaml_node& root)
    {
        if (!is_v1(root)) return std::nullopt;
        tell_of_unknown(root, top_keys, "at the top level");
        smokescreen_acl acl;
        read_services(root, acl);
        if (const auto* node = root.find("default"); node != nullptr && node->is != yaml_node::kind::nothing) read_default(*node, acl);
        acl.global_allow = hosts(root.find("global_allow_list"), "global_allow_list", grants::out);
        acl.global_deny = hosts(root.find("global_deny_list"), "global_deny_list", grants::nothing);
        acl.denied_networks = std::move(networks_);
        return acl;
    }

private:
    bool is_v1(const yaml_node& root)
    {
        if (root.is != yaml_node::kind::mapping) {
            wrong_.error(root.at, fmt::format("no ACL: it is {}; write version: v1 and services:", kind_of(root)));
            return false;
        }
        const auto* version = root.find("version");
        const bool good = version != nullptr && version->text == "v1";
        if (!good)
            wrong_.error(version == nullptr ? root.at : version->at, fmt::format("no ACL of version v1, but {}; only version: v1 is known",
                                                                                 version == nullptr ? "of none" : as_shown(version->text)));
        return good;
    }

    void read_services(const yaml_node& root, smokescreen_acl& acl)
    {
        const auto* all = root.find("services");
        if (all == nullptr) return wrong_.error(root.at, "there is no 'services'; add it, or nobody is let out");
        if (all->is == yaml_node::kind::nothing) return;
        if (all->is != yaml_node::kind::sequence)
            return wrong_.error(all->at, fmt::format("'services' must be a list, not {}; write - name: … for each", kind_of(*all)));
        for (const auto& each : all->items) {
            if (acl.roles.size() + 1 >= limits::groups)
                return wrong_.error(each->at, fmt::format("there are {} services, and an allowlist has {} groups; join some",
                                                          all->items.size(), limits::groups));
            if (auto role = read_role(*each, "a service")) take(std::move(*role), acl);
        }
    }

    void take(smokescreen_role role, smokescreen_acl& acl)
    {
        const auto known = std::find_if(acl.roles.begin(), acl.roles.end(), [&](const auto& r) { return r.name == role.name; });
        if (role.name.empty()) wrong_.error(role.at, "a service without a name; name the role that it is for");
        else if (known != acl.roles.end())
            wrong_.error(role.at, fmt::format("service {} is in line {} too, which smokescreen does not load; join the two",
                                              as_shown(role.name), known->at.line));
        else acl.roles.push_back(std::move(role));
    }

    void read_default(const yaml_node& node, smokescreen_acl& acl)
    {
        auto role = read_role(node, "'default'");
        if (!role) return;
        if (role->name.empty()) role->name = "default";
        role->is_default = true;
        acl.roles.push_back(std::move(*role));
    }

    std::optional<smokescreen_role> read_role(const yaml_node& node, std::string_view what)
    {
        if (node.is != yaml_node::kind::mapping) {
            wrong_.error(node.at,
                         fmt::format("{} must be a table, not {}; write name:, action: and allowed_domains:", what, kind_of(node)));
            return std::nullopt;
        }
        smokescreen_role role;
        role.at = node.at;
        role.name = text(node, "name");
        role.project = text(node, "project");
        role.action = action(node);
        role.hosts = hosts(node.find("allowed_domains"), "allowed_domains", grants::out);
        tell_of_unknown(node, role_keys, role.name.empty() ? std::string{what} : "in service " + as_shown(role.name));
        tell_of_no_counterpart(node, "allowed_external_proxies", "exeat sends nobody through another proxy");
        tell_of_no_counterpart(node, "mitm_domains", "exeat does not open TLS");
        return role;
    }

    std::string action(const yaml_node& node)
    {
        const auto* found = node.find("action");
        const auto written = text(node, "action");
        if (std::find(actions.begin(), actions.end(), written) != actions.end()) return written;
        wrong_.error(found == nullptr ? node.at : found->at,
                     fmt::format("'action' must be {}, not {}, and is taken for 'enforce'{}", listed(actions), as_shown(written),
                                 did_you_mean(written, actions, "write one of them")));
        return "enforce";
    }

    std::string text(const yaml_node& of, std::string_view key)
    {
        const auto* n = of.find(key);
        if (n == nullptr || n->is == yaml_node::kind::nothing) return {};
        if (n->is != yaml_node::kind::scalar) wrong_.error(n->at, fmt::format("'{}' must be text, not {}; fix it", key, kind_of(*n)));
        else if (n->text.size() > limits::text_octets ||
                 std::any_of(n->text.begin(), n->text.end(), [](char c) { return c >= 0 && c < ' '; }))
            wrong_.error(n->at, fmt::format("'{}' is not one line of {} octets at most; shorten it", key, limits::text_octets));
        else return n->text;
        return {};
    }

    std::vector<smokescreen_host> hosts(const yaml_node* list, std::string_view key, grants what)
    {
        std::vector<smokescreen_host> out;
        if (list == nullptr || list->is == yaml_node::kind::nothing) return out;
        if (list->is != yaml_node::kind::sequence) {
            wrong_.error(list->at, fmt::format("'{}' must be a list, not {}; write - {}", key, kind_of(*list),
                                               list->is == yaml_node::kind::scalar ? as_shown(list->text) : "pkg.test"));
            return out;
        }
        for (const auto& n : list->items)
            if (what == grants::nothing && written_as_network(n->text)) read_denied_network(*n);
            else if (const auto host = read_host(*n, key, what)) out.push_back({*host, n->at});
        return out;
    }

    void read_denied_network(const yaml_node& n)
    {
        const auto network = parse_network(n.text);
        if (network) networks_.push_back(*network);
        else wrong_.error(n.at, network.error());
    }

    std::optional<host_pattern> read_host(const yaml_node& n, std::string_view key, grants what)
    {
        if (n.is != yaml_node::kind::scalar) {
            wrong_.error(n.at, fmt::format("'{}' is a list of hosts, and this is {}; write one host", key, kind_of(n)));
            return std::nullopt;
        }
        const bool wild = n.text.starts_with("*.");
        const auto host = host_pattern::parse(wild ? '*' + n.text : n.text);
        const auto objection = !host || n.text.starts_with("**") ? explain_bad_host(n.text)
                               : what == grants::out             ? objection_to(*host)
                                                                 : "";
        if (objection.empty()) return *host;
        wrong_.error(n.at, objection);
        return std::nullopt;
    }

    static std::string objection_to(const host_pattern& host)
    {
        auto said = ops::objection_to(host, rule{});
        return said.empty() ? wildcard_objection(host) : said;
    }

    template <std::size_t N>
    void tell_of_unknown(const yaml_node& of, const std::array<std::string_view, N>& known, const std::string& where)
    {
        for (const auto& [key, value] : of.pairs)
            if (std::find(known.begin(), known.end(), key->text) == known.end() && !key->text.starts_with("x-"))
                wrong_.error(key->at, fmt::format("{} {} is not a key of this ACL's version, so smokescreen ignores it{}",
                                                  as_shown(key->text), where, did_you_mean(key->text, known, "remove it")));
    }

    void tell_of_no_counterpart(const yaml_node& role, std::string_view key, std::string_view why)
    {
        const auto* n = role.find(key);
        if (n != nullptr && n->is != yaml_node::kind::nothing && !(n->is == yaml_node::kind::sequence && n->items.empty()))
            wrong_.error(n->at, fmt::format("'{}' has no counterpart: {}; see to it elsewhere", key, why));
    }

    diagnostics& wrong_;
    std::vector<ip_prefix> networks_;
};

} // namespace

std::optional<smokescreen_acl> read_smokescreen_acl(const std::string& text, diagnostics& wrong)
{
    const auto root = parse_yaml(text, wrong);
    return root ? acl_reader{wrong}.read(**root) : std::nullopt;
}

} // namespace exeat::ops
