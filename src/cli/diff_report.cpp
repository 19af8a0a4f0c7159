#include <cli/diff_report.hpp>

#include <cli/changed_terms.hpp>
#include <exeat/enum_array.hpp>
#include <ops/metrics/readiness.hpp>
#include <ops/text/diagnostics.hpp>
#include <ops/text/json_text.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <tuple>

namespace exeat::cli {

namespace {

const rule& rule_of(const policy_change& c) { return c.after != nullptr ? *c.after : *c.before; }

std::string groups(const std::vector<std::string>& names)
{
    return names.empty() ? "no group" : fmt::format("{}", fmt::join(names, " + "));
}

std::string clients_text(const client_class& c)
{
    if (c.before == c.after) return groups(c.after);
    return fmt::format("clients such as {}{}, from {} to {}", c.example.to_string(),
                       c.service_account.empty() ? "" : " (a pod of " + c.service_account + ")", groups(c.before), groups(c.after));
}

std::string place_of(const rule& r) { return fmt::format("{}:{}", ops::one_line(r.file), r.line); }

std::string hosts_text(const policy_change& c)
{
    if (rule_of(c).kind == rule_kind::deny) {
        if (c.port != 0) return fmt::format("{} at port {}", c.hosts, c.port);
        return c.but.empty() ? c.hosts : fmt::format("{} at every port but {}", c.hosts, fmt::join(c.but, " and "));
    }
    const auto protocol = rule_of(c).protocol;
    return fmt::format("{}:{}{}", c.hosts, c.port, protocol == protocol::tls ? "" : fmt::format(" ({})", to_string(protocol)));
}

// Changes that are reported on one line.
struct paragraph {
    const policy_change* first;
    std::vector<const policy_change*> all;
    std::vector<std::size_t> clients{};          // all classes of clients that it applies to
    std::vector<const policy_change*> more_by{}; // one change of each further entry
};

bool together(const policy_change& a, const policy_change& b)
{
    return a.what == b.what && a.clients == b.clients && a.before == b.before && a.after == b.after && a.terms == b.terms;
}

std::vector<paragraph> by_entry(const policy_diff& d)
{
    std::vector<paragraph> out;
    for (const auto& c : d.changes) {
        const auto same = std::find_if(out.rbegin(), out.rend(), [&](const paragraph& p) { return together(*p.first, c); });
        const bool near = same != out.rend() && rule_of(*same->first).name == rule_of(c).name;
        if (near) same->all.push_back(&c);
        else out.push_back({&c, {&c}, {c.clients}});
    }
    return out;
}

// Paragraphs with the same subject are merged: a change of one entry for several groups, or changes of several entries for clients whose
// groups have changed, because then the reason is the list's sources and not the entries.
std::string subject_of(const paragraph& p, const policy_diff& d)
{
    const auto& c = *p.first;
    const auto& who = d.clients[c.clients];
    if (who.before != who.after && c.terms.empty()) return fmt::format("{} clients {}", to_string(c.what), c.clients);
    std::string hosts;
    for (const auto* each : p.all) hosts += hosts_text(*each) + '\n';
    return fmt::format("{} {} {} {} {}", to_string(c.what), static_cast<const void*>(c.before), static_cast<const void*>(c.after),
                       fmt::join(c.terms, ","), hosts);
}

// The sort key: the number of client classes, then how far the hosts reach, then their number.
auto breadth(const paragraph& p)
{
    std::size_t reach = 0;
    for (const auto* c : p.all) reach = std::max<std::size_t>(reach, c->hosts.starts_with("**.") ? 2 : c->hosts.starts_with("*.") ? 1 : 0);
    return std::tuple{p.clients.size(), reach, p.all.size()};
}

// Sorted so that what opens or widens most comes first.
std::vector<paragraph> paragraphs(const policy_diff& d)
{
    std::vector<paragraph> out;
    std::map<std::string, std::size_t> known;
    for (auto& p : by_entry(d)) {
        const auto [at, is_new] = known.emplace(subject_of(p, d), out.size());
        if (is_new) {
            out.push_back(std::move(p));
            continue;
        }
        auto& to = out[at->second];
        if (to.first->clients != p.first->clients) to.clients.push_back(p.first->clients);
        else to.all.insert(to.all.end(), p.all.begin(), p.all.end()), to.more_by.push_back(p.first);
    }
    std::stable_sort(out.begin(), out.end(), [](const paragraph& a, const paragraph& b) {
        return a.first->what != b.first->what ? a.first->what < b.first->what : breadth(a) > breadth(b);
    });
    return out;
}

std::string clients_text(const paragraph& p, const policy_diff& d)
{
    std::vector<std::string> all;
    for (const auto c : p.clients) all.push_back(clients_text(d.clients[c]));
    return fmt::format("{}", fmt::join(all, ", "));
}

std::string listed(const paragraph& p, std::size_t most, std::string_view before, std::string_view after)
{
    std::string out;
    for (std::size_t i = 0; i < std::min(most, p.all.size()); ++i)
        out += fmt::format("{}{}{}{}", i == 0 ? "" : ", ", before, hosts_text(*p.all[i]), after);
    if (p.all.size() > most) out += fmt::format(" and {} more", p.all.size() - most);
    return out;
}

std::string entry_text(const policy_change& c)
{
    const rule& by = rule_of(c);
    auto out = fmt::format("{} ({})", ops::as_shown(by.name), place_of(by));
    if (c.after != nullptr && c.before != nullptr && c.after->name != c.before->name)
        out += fmt::format(", was {} ({})", ops::as_shown(c.before->name), place_of(*c.before));
    return out;
}

std::string entries_text(const paragraph& p)
{
    constexpr std::size_t shown = 3;
    if (p.more_by.empty()) return entry_text(*p.first);
    auto out = fmt::format("{} entries: {}", p.more_by.size() + 1, entry_text(*p.first));
    for (std::size_t i = 0; i < std::min(shown - 1, p.more_by.size()); ++i) out += ", " + entry_text(*p.more_by[i]);
    if (p.more_by.size() >= shown) out += fmt::format(" and {} more", p.more_by.size() + 1 - shown);
    return out;
}

std::string_view sign(change_kind what) noexcept
{
    constexpr enum_array<change_kind, std::string_view, change_kinds> signs{"+", "+", "-", "-"};
    return signs[what];
}

bool loosens(change_kind what) noexcept { return what == change_kind::opens || what == change_kind::widens; }

// Whether `after` reports where `before` enforces: for all clients or for a group.
bool reports_for_more(const policy& before, const policy& after, wall_time now)
{
    if (!after.reporting(now)) return false;
    if (!before.reporting(now)) return true;
    if (before.settings().report) return false;
    const auto& had = before.groups();
    const auto is_new = [&](const group& g) {
        return g.report && std::none_of(had.begin(), had.end(), [&](const group& h) { return h.report && h.name == g.name; });
    };
    return after.settings().report || std::any_of(after.groups().begin(), after.groups().end(), is_new);
}

void compare_lists(const policy& before, const policy& after, wall_time now, diff_report& out)
{
    const auto &a = before.settings(), &b = after.settings();
    if (reports_for_more(before, after, now))
        out.opening.push_back(fmt::format("report mode {}: what no entry names passes too", ops::reporting_text(after)));
    else if (reports_for_more(after, before, now))
        out.other.push_back(after.reporting(now) ? "report mode is for fewer: " + ops::reporting_text(after)
                                                 : "report mode ends: the list is enforced");
    else if (after.reporting(now) && b.report_until != a.report_until)
        (b.report_until > a.report_until ? out.opening : out.other)
            .push_back(fmt::format("report mode {} (was until {})", ops::reporting_text(after), ops::utc(a.report_until)));
    if (a.expires != b.expires)
        (b.expires > a.expires ? out.opening : out.other)
            .push_back(fmt::format("the list expires {} (was {})", ops::utc(b.expires), ops::utc(a.expires)));
    if (b.serial < a.serial) out.other.push_back(fmt::format("the serial falls from {} to {}", a.serial, b.serial));
}

// A missing test counts as opening, because the list can then be changed in a way that the test would have rejected.
void compare_tests(const std::vector<std::string>& before, const std::vector<std::string>& after, diff_report& out)
{
    const auto lacks = [](const std::vector<std::string>& all, const std::string& e) {
        return std::find(all.begin(), all.end(), e) == all.end();
    };
    for (const auto& e : before)
        if (lacks(after, e)) out.opening.push_back("[[expect]] is gone: " + e);
    for (const auto& e : after)
        if (lacks(before, e)) out.other.push_back("[[expect]] is new: " + e);
}

// The number of changes of each kind, for readers who read nothing else. Empty when nothing has changed.
std::string summary_of(const diff_report& d)
{
    enum_array<change_kind, std::size_t, change_kinds> hosts{};
    for (const auto& c : d.by_host.changes) ++hosts[c.what];
    std::vector<std::string> all;
    for (std::size_t i = 0; i < hosts.size(); ++i)
        if (hosts[i] > 0) all.push_back(fmt::format("{} {}", to_string(static_cast<change_kind>(i)), hosts[i]));
    if (!d.opening.empty()) all.push_back(fmt::format("loosens the list itself by {}", d.opening.size()));
    if (!d.other.empty()) all.push_back(fmt::format("other changes {}", d.other.size()));
    const auto what = d.by_host.changes.empty() ? "" : " (counted by host, port and kind of client)";
    return all.empty() ? std::string{} : fmt::format("summary: {}{}", fmt::join(all, ", "), what);
}

} // namespace

bool diff_report::opens() const
{
    return !opening.empty() ||
           std::any_of(by_host.changes.begin(), by_host.changes.end(), [](const policy_change& c) { return loosens(c.what); });
}

diff_report report_difference(const ops::loaded_allowlist& before, const ops::loaded_allowlist& after, wall_time now)
{
    diff_report out{compare(*before.rules, *after.rules, now), {}, {}};
    for (auto& c : out.by_host.changes)
        for (auto& t : c.terms) t = with_values(t, c, *before.rules, *after.rules);
    compare_lists(*before.rules, *after.rules, now, out);
    compare_tests(before.expectations, after.expectations, out);
    return out;
}

std::string to_text(const diff_report& d, std::size_t most)
{
    std::string out;
    for (const auto& line : d.opening) out += fmt::format("+ {}\n", line);
    for (const auto& line : d.other) out += fmt::format("- {}\n", line);
    for (const auto& p : paragraphs(d.by_host)) {
        const auto& c = *p.first;
        out += fmt::format("{} {} for {} by {}{}{}\n    {}\n", sign(c.what), to_string(c.what), clients_text(p, d.by_host), entries_text(p),
                           c.terms.empty() ? "" : ": ", fmt::join(c.terms, ", "), listed(p, most, "", ""));
    }
    return out.empty() ? "nothing opens and nothing closes\n" : out + summary_of(d) + "\n";
}

std::string to_markdown(const diff_report& d, std::size_t most)
{
    std::string out = d.opens() ? "**This change opens something.**\n" : "This change opens nothing.\n";
    if (!d.opening.empty() || !d.other.empty()) out += "\n";
    for (const auto& line : d.opening) out += fmt::format("- **opens**: {}\n", line);
    for (const auto& line : d.other) out += fmt::format("- {}\n", line);
    if (const auto summary = summary_of(d); !summary.empty()) out += fmt::format("\n{}\n", summary);
    if (d.by_host.changes.empty()) return out;
    out += "\n| | clients | hosts | entry | terms |\n|---|---|---|---|---|\n";
    for (const auto& p : paragraphs(d.by_host)) {
        const auto& c = *p.first;
        const std::string_view strong = loosens(c.what) ? "**" : "";
        out += fmt::format("| {}{}{} | {} | {} | `{}` ({}) | {} |\n", strong, to_string(c.what), strong, clients_text(p, d.by_host),
                           listed(p, most, "`", "`"), rule_of(c).name,
                           p.more_by.empty() ? place_of(rule_of(c)) : fmt::format("and {} more entries", p.more_by.size()),
                           fmt::join(c.terms, ", "));
    }
    return out;
}

boost::json::object to_json(const diff_report& d)
{
    boost::json::array changes, opening(d.opening.begin(), d.opening.end()), other(d.other.begin(), d.other.end());
    for (const auto& c : d.by_host.changes) {
        const auto& who = d.by_host.clients[c.clients];
        changes.push_back(boost::json::object{
            {"change", to_string(c.what)},
            {"hosts", c.hosts},
            {"port", c.port},
            {"every_port_but", boost::json::array(c.but.begin(), c.but.end())},
            {"protocol", to_string(rule_of(c).protocol)},
            {"groups_before", boost::json::array(who.before.begin(), who.before.end())},
            {"groups_after", boost::json::array(who.after.begin(), who.after.end())},
            {"client", who.example.to_string()},
            {"service_account", who.service_account.empty() ? boost::json::value(nullptr) : boost::json::value(who.service_account)},
            {"entry", rule_of(c).name},
            {"file", rule_of(c).file},
            {"line", rule_of(c).line},
            {"terms", boost::json::array(c.terms.begin(), c.terms.end())}});
    }
    return {{"opens", d.opens()}, {"list_opens", opening}, {"list_changes", other}, {"changes", changes}};
}

} // namespace exeat::cli
