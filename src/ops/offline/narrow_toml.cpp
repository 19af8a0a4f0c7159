#include <ops/offline/narrow_toml.hpp>

#include <ops/text/quantity.hpp>
#include <ops/text/toml_text.hpp>
#include <ops/text/utc.hpp>
#include <ops/text/volume_text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace exeat::ops {

namespace {

std::string comment(std::string_view line) { return fmt::format("# {}\n", line); }

void settings(std::string& out, const narrow_list& list)
{
    out += fmt::format("serial = {}\n", list.settings.serial);
    if (list.settings.expires != never) out += fmt::format("expires = {}\n", utc(list.settings.expires));
    add_text(out, "deny_help", list.settings.deny_help);
}

void group_table(std::string& out, const narrow_group& g)
{
    out += "\n";
    if (!g.given && !g.sources.empty()) out += comment("The addresses that were seen. Write the networks that you mean.");
    if (!g.given && g.sources.empty()) out += comment("The service accounts of the pods that were seen.");
    if (!g.elsewhere.empty())
        out += comment(fmt::format("In none of these sources: {} served, such as {}.",
                                   counted(g.elsewhere.size(), "client that was", "clients that were"), g.elsewhere.front().to_string()));
    out += fmt::format("[groups.{}]\n", toml_text(g.name));
    if (!g.sources.empty())
        out += fmt::format("sources = {}\n", toml_array(g.sources, [](const ip_prefix& p) { return toml_text(p.to_string()); }));
    const auto words = [&out](std::string_view key, const std::vector<std::string>& all) {
        if (!all.empty()) out += fmt::format("{} = {}\n", key, toml_array(all, [](const std::string& w) { return toml_text(w); }));
    };
    words("service_accounts", g.workloads.service_accounts);
    words("namespaces", g.workloads.namespaces);
    if (g.instances != limits::instances) out += fmt::format("instances = {}\n", g.instances);
}

void link_networks(std::string& out, const rule& r)
{
    if (!r.within.empty())
        out += fmt::format("within = {}\n", toml_array(r.within, [](const ip_prefix& p) { return toml_text(p.to_string()); }));
    if (!r.addresses.empty())
        out += fmt::format("addresses = {}\n", toml_array(r.addresses, [](const ip_address& a) { return toml_text(a.to_string()); }));
}

void kept_words(std::string& out, const rule& r)
{
    if (r.expires != never) out += fmt::format("expires = {}\n", utc(r.expires));
    add_text(out, "owner", r.owner);
    add_text(out, "reason", r.reason);
    add_text(out, "ticket", r.ticket);
}

// Budgets are read in KiB, MiB, GiB or TiB, so each is a whole number of one of these units.
void budgets(std::string& out, std::string_view key, const upload_limits& l)
{
    std::vector<std::string> all;
    for (std::size_t w = 0; w < budget_windows; ++w)
        if (l.most[w] != unlimited) all.push_back(fmt::format("\"{}/{}\"", exact_size(l.most[w]), budget_window_words[w]));
    if (!all.empty()) out += fmt::format("{} = [{}]\n", key, fmt::join(all, ", "));
}

void kept_budgets(std::string& out, const rule& r)
{
    if (r.upload) budgets(out, "upload", *r.upload);
    if (r.upload_identity) budgets(out, "upload_identity", *r.upload_identity);
    budgets(out, "upload_total", r.upload_total);
    add_text(out, "account", r.account);
    if (r.on_budget != budget_action::cut) out += fmt::format("on_budget = \"{}\"\n", budget_action_words[r.on_budget]);
}

void entry_table(std::string& out, const narrow_entry& e)
{
    const auto& r = e.value;
    out += "\n";
    if (e.reported) out += comment("Only report mode let this pass. Say who answers for it, or remove it.");
    out += comment(fmt::format("{} {}, {} up, {} down", e.requests, e.requests == 1 ? "request" : "requests", volume_text(e.upload),
                               volume_text(e.download)));
    out += fmt::format("[[{}]]\nname = {}\nhosts = {}\n", to_string(r.kind), toml_text(r.name), toml_texts(e.hosts));
    out += fmt::format("protocol = {}\nports = [{}]\n", toml_text(to_string(r.protocol)), fmt::join(r.ports, ", "));
    out += fmt::format("groups = {}\npurpose = {}\n", toml_texts(e.groups), toml_text(to_string(r.purpose)));
    if (r.ech != ech_policy::deny) out += fmt::format("ech = {}\n", toml_text(ech_policy_words[r.ech]));
    if (r.kind == rule_kind::private_link) link_networks(out, r);
    kept_words(out, r);
    kept_budgets(out, r);
    out += comment(fmt::format("upload = \"{} MiB/1h\" would be {} times the busiest hour of one client through {} ({})",
                               proposed_upload(e.busiest_hour) / (1024 * 1024), limits::upload_headroom, e.origin,
                               volume_text(e.busiest_hour)));
}

void deny_table(std::string& out, const narrow_deny& d)
{
    const auto& r = d.value;
    out += fmt::format("\n[[deny]]\nname = {}\n", toml_text(r.name));
    add_texts(out, "hosts", d.hosts);
    add_text(out, "hosts_file", d.hosts_file);
    add_ports(out, r.ports);
    add_texts(out, "groups", d.groups);
    kept_words(out, r);
}

std::string_view protocol_of(approach via) noexcept { return via == approach::http ? "http" : "tls"; }

// A deny was intended, and an address needs more thought than uncommenting.
bool could_be_entry(verdict v) noexcept { return v != verdict::denied_by_rule && v != verdict::ip_literal && !about_hello(v); }

// Advice when the host has an entry but the content of the tunnel was not what the entry requires.
std::string_view way_out(verdict v) noexcept
{
    if (v == verdict::ech)
        return "  browsers send such hellos: where one owner has the host, ech = \"grease\" on its entry; or switch ECH off in the browser";
    if (v == verdict::not_tls) return "  its entry is for TLS: protocol = \"http\" is for plain HTTP, protocol = \"tcp\" for anything else";
    return {};
}

void candidate_comment(std::string& out, const candidate& c, std::size_t n)
{
    const auto& w = c.what;
    out += comment(fmt::format("{}:{} asked {} by {}, denied {}", written_host(w.host), w.port, counted(c.times, "time", "times"),
                               w.group == "_none" ? "no group" : w.group, to_string(w.verdict)));
    if (const auto what = way_out(w.verdict); !what.empty()) out += comment(what);
    if (!could_be_entry(w.verdict)) return;
    out += fmt::format("# [[allow]]\n# name = \"candidate-{}\"\n# hosts = [{}]\n# protocol = \"{}\"\n# ports = [{}]\n", n,
                       toml_text(written_host(w.host)), protocol_of(w.via), w.port);
    if (w.group != "_none") out += fmt::format("# groups = [{}]\n", toml_text(w.group));
}

void candidates(std::string& out, const narrow_list& list)
{
    if (list.candidates.empty()) return;
    out += "\n# ---- Asked for and refused. Nothing here is in force; what you uncomment, you answer for.\n";
    for (std::size_t i = 0; i < list.candidates.size(); ++i) candidate_comment(out, list.candidates[i], i + 1);
    if (list.more_candidates > 0) out += comment(fmt::format("and {} more", list.more_candidates));
}

void left_out(std::string& out, const std::vector<served_target>& all, std::string_view why)
{
    if (all.empty()) return;
    out += fmt::format("\n# ---- {}\n", why);
    for (std::size_t i = 0; i < std::min(all.size(), limits::candidates); ++i)
        out += comment(fmt::format("{}:{} ({}) for {}", written_host(all[i].host), all[i].port, to_string(all[i].as), all[i].group));
    if (all.size() > limits::candidates) out += comment(fmt::format("and {} more", all.size() - limits::candidates));
}

} // namespace

std::string to_toml(const narrow_list& list, const std::vector<std::string>& head, const std::vector<std::string>& remarks)
{
    std::string out;
    for (const auto& line : head) out += comment(line);
    if (list.denies > 0)
        out += comment(fmt::format("{} not repeated: exact hosts need none. Keep yours if you widen this.",
                                   counted(list.denies, "[[deny]] entry of names is", "[[deny]] entries of names are")));
    settings(out, list);
    for (const auto& g : list.groups) group_table(out, g);
    for (const auto& e : list.entries) entry_table(out, e);
    for (const auto& d : list.address_denies) deny_table(out, d);
    left_out(out, list.not_expressible,
             "Served, and not here, as no entry can say it: reached both inside and outside, at too many addresses, or at none that may be "
             "opened.");
    left_out(out, list.reported, "Only report mode let these pass; --reported makes them entries.");
    candidates(out, list);
    if (!remarks.empty()) out += "\n# ---- Of the list in force\n";
    for (const auto& line : remarks) out += comment(line);
    return out + "\nend = true\n";
}

} // namespace exeat::ops
