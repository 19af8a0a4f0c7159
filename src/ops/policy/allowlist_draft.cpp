#include <ops/policy/allowlist_draft.hpp>

#include <exeat/limits.hpp>
#include <ops/policy/read_budgets.hpp>
#include <ops/text/allowlist_toml_keys.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

consteval toml_key top(std::string_view name) { return key_of(allowlist_toml::top, name); }

void read_mode(section& root, policy_settings& s, const std::vector<group>& groups, wall_time now)
{
    constexpr auto until = top("report_until");
    s.report = root.word(top("mode"), mode_words).value_or(0) == 1;
    const auto group = std::find_if(groups.begin(), groups.end(), [](const auto& g) { return g.report; });
    const bool any = s.report || group != groups.end();
    if (const auto t = root.moment(until)) s.report_until = *t;
    if (any && !root.has(until.name))
        root.wrong().error(
            s.report ? root.where("mode") : place{group->line, 1},
            "report mode lets out what no entry names, so it needs an end; add report_until above all groups, at most 14 days ahead");
    if (!any && root.has(until.name))
        root.wrong().warning(root.where(until.name), "'report_until' says nothing without mode = \"report\"; remove it");
    if (!any || s.report_until == never) return;
    // A restart after the end must not be an outage: the list is enforced, as in a process that was running at the end.
    if (s.report_until <= now)
        root.wrong().warning(root.where(until.name),
                             "'report_until' has passed, so the list is enforced; set mode = \"enforce\" or a new end");
    else if (s.report_until > now + limits::report_ahead)
        root.reject(until.name, fmt::format("'report_until' is more than 14 days ahead; write report_until = {} or earlier",
                                            utc(std::chrono::floor<std::chrono::days>(now + limits::report_ahead))));
}

void read_age(section& root, policy_settings& s)
{
    s.serial = static_cast<std::uint64_t>(root.integer(top("serial")).value_or(0));
    if (const auto t = root.moment(top("expires"))) s.expires = *t;
}

policy_settings read_settings(section& root, wall_time now)
{
    policy_settings s;
    read_age(root, s);
    if (s.expires <= now) root.wrong().warning(root.where("expires"), "the list has expired: everything is denied; renew 'expires'");
    s.deny_help = root.lines(top("deny_help")).value_or("");
    if (const auto* t = root.table({"defaults", "{}"})) {
        section d{*t, "[defaults]", root.wrong()};
        s.upload = read_upload(d, key_of(allowlist_toml::defaults, "upload"));
        d.done();
    }
    return s;
}

void warn_of_nobody(const allowlist_draft& d, section& root)
{
    const bool lets_out = std::any_of(d.entries.begin(), d.entries.end(), [](const entry& e) { return e.value.kind != rule_kind::deny; });
    if (!lets_out && !root.has("serial"))
        root.wrong().error({1, 1}, "no [[allow]], no [[private_link]] and no 'serial', which is almost always a half-written file; to deny "
                                   "everything write serial = N");
    if (lets_out && d.groups.empty())
        root.wrong().warning({1, 1}, "there is no [groups.NAME], so every client is refused; add one with sources = [\"10.42.0.0/16\"]");
}

} // namespace

allowlist_draft read_draft(const toml::table& tree, diagnostics& wrong, wall_time now)
{
    allowlist_draft d;
    section root{tree, "", wrong};
    if (tree.empty()) {
        wrong.error({1, 1}, "an empty allowlist is almost always a half-written one; to deny everything write serial = N");
        return d;
    }
    d.settings = read_settings(root, now);
    d.groups = read_groups(root);
    read_mode(root, d.settings, d.groups, now);
    d.entries = read_entries(root, d.groups, now);
    d.expectations = read_expectations(root);
    root.elsewhere("end", "on the last line");
    root.done();
    warn_of_nobody(d, root);
    return d;
}

allowlist_draft read_part(const toml::table& tree, diagnostics& wrong, const std::vector<group>& groups, wall_time now)
{
    allowlist_draft d;
    section root{tree, "", wrong};
    for (const std::string_view key : {"groups", "mode", "report_until", "deny_help", "defaults", "expect"})
        root.elsewhere(key, "in the allowlist itself, not in a file beside it");
    read_age(root, d.settings);
    d.entries = read_entries(root, groups, now);
    root.elsewhere("end", "on the last line");
    root.done();
    if (d.entries.empty()) wrong.error({1, 1}, "no entry; write [[allow]], or remove the file");
    for (auto& e : d.entries) e.value.expires = std::min(e.value.expires, d.settings.expires);
    return d;
}

} // namespace exeat::ops
