#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <exeat/limits.hpp>
#include <net/wall_clock.hpp>
#include <ops/approvals/policy_gate.hpp>
#include <ops/approvals/signed_list.hpp>
#include <ops/files/end_mark.hpp>
#include <ops/files/file_source.hpp>
#include <ops/policy/allowlist_draft.hpp>
#include <ops/settings/load_config.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <boost/json/array.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <stdexcept>

namespace exeat::cli {

namespace {

namespace json = boost::json;

struct open_grant {
    wall_time until;
    std::string name, owner, ticket, reason, place;
    std::vector<std::string> hosts, groups, approved_by; // no groups: every group
};

std::vector<std::string> hosts_of(const ops::entry& e)
{
    std::vector<std::string> out;
    for (const auto& h : e.hosts) out.push_back(h.pattern.to_string());
    if (!e.hosts_file.empty()) out.push_back("those in " + e.hosts_file);
    return out;
}

std::vector<std::string> groups_of(const rule& r, const std::vector<group>& all)
{
    std::vector<std::string> out;
    for (std::size_t i = 0; i < all.size() && !r.groups.all(); ++i)
        if (r.groups[i]) out.push_back(all[i].name);
    return out;
}

// The file name of a trusted key, otherwise the id, because an id says little to people.
std::vector<std::string> names_of(const std::vector<std::string>& ids, const ops::approval_rules& trusted)
{
    std::vector<std::string> out;
    for (const auto& id : ids) {
        const auto key = std::find_if(trusted.keys.begin(), trusted.keys.end(), [&](const auto& k) { return k.id() == id; });
        out.push_back(key == trusted.keys.end() ? id : key->file());
    }
    return out;
}

class reader {
public:
    reader(const ops::approval_rules& trusted, wall_time now) : trusted_{trusted}, now_{now} {}

    // The allowlist must be read first, because the other files use its groups.
    void read(const ops::list_file& list)
    {
        ops::diagnostics wrong{list.path};
        const auto text = ops::read_whole(list.path, limits::allowlist_bytes);
        const bool same = text && ops::sha256_of(*text) == list.sha256;
        const auto tree = same ? ops::parse_toml(ops::without_end_mark(*text).text, wrong) : std::nullopt;
        if (!tree) throw std::runtime_error{list.path + ": changed while it was read; try again"};
        const bool first = list.kind == ops::list_kind::allowlist;
        auto draft = first ? ops::read_draft(*tree, wrong, now_) : ops::read_part(*tree, wrong, groups_, now_);
        if (first) groups_ = std::move(draft.groups);
        if (list.revoked) return;
        for (auto& e : draft.entries) e.value.expires = std::min(e.value.expires, list.ends);
        for (const auto& e : draft.entries)
            if (e.value.kind != rule_kind::deny && e.value.expires != never && e.value.expires > now_) add(e, list);
    }
    std::vector<open_grant> finish() &&
    {
        std::stable_sort(out_.begin(), out_.end(), [](const auto& a, const auto& b) { return a.until < b.until; });
        return std::move(out_);
    }

private:
    void add(const ops::entry& e, const ops::list_file& list)
    {
        const auto& r = e.value;
        out_.push_back({r.expires, r.name, r.owner, r.ticket, r.reason, fmt::format("{}:{}", r.file, r.line), hosts_of(e),
                        groups_of(r, groups_), names_of(list.approved_by, trusted_)});
    }

    const ops::approval_rules& trusted_;
    const wall_time now_;
    std::vector<group> groups_;
    std::vector<open_grant> out_;
};

json::array texts(const std::vector<std::string>& all)
{
    json::array out;
    for (const auto& text : all) out.emplace_back(text);
    return out;
}

void print_json(const std::vector<open_grant>& all)
{
    json::array out;
    for (const auto& g : all)
        out.push_back(json::object{{"entry", g.name},
                                   {"until", ops::utc(g.until)},
                                   {"hosts", texts(g.hosts)},
                                   {"groups", texts(g.groups)},
                                   {"owner", g.owner},
                                   {"reason", g.reason},
                                   {"ticket", g.ticket},
                                   {"place", g.place},
                                   {"approved_by", texts(g.approved_by)}});
    print_as_json(out);
}

void print_text(const std::vector<open_grant>& all)
{
    if (all.empty()) print_out("no entry expires in the future\n");
    for (const auto& g : all) {
        print_out("{}  {}  {}  for {}\n", ops::utc(g.until), g.name, fmt::join(g.hosts, " "),
                  g.groups.empty() ? "every group" : fmt::format("{}", fmt::join(g.groups, " ")));
        print_out("    {}{}{} ({})\n", g.owner.empty() ? "nobody" : ops::one_line(g.owner),
                  g.reason.empty() ? "" : ": " + ops::one_line(g.reason), g.ticket.empty() ? "" : ", " + ops::one_line(g.ticket),
                  ops::one_line(g.place));
        if (!g.approved_by.empty()) print_out("    approved by {}\n", fmt::join(g.approved_by, ", "));
    }
}

struct question {
    std::string config, allowlist, format = "text";
};

int list_grants(question& q)
{
    ops::approval_rules trusted;
    config c;
    if (!q.config.empty()) {
        const auto loaded = ops::load_config(q.config);
        if (!loaded.value) throw std::runtime_error{loaded.problems.front().to_string()};
        c = *loaded.value;
        trusted = ops::read_approval_rules(c);
    }
    if (!q.allowlist.empty()) c.allowlist = q.allowlist;
    ops::label_registry labels;
    const auto policy = ops::policy_gate{c, ops::policy_gate::use::check}.load(labels, net::wall_now());
    for (const auto& p : policy.problems)
        if (p.how == ops::problem::weight::error || trusted.needed > 0) print_error("{}\n", p.to_string());
    if (!policy.rules) return failure;
    reader r{trusted, net::wall_now()};
    for (const auto& list : policy.lists) r.read(list);
    const auto all = std::move(r).finish();
    q.format == "json" ? print_json(all) : print_text(all);
    return success;
}

} // namespace

int grants(int argc, char** argv)
{
    CLI::App app{"Lists what is open for a while, of the allowlist and of allowlist.d: until when, for whom, who answers for it and who "
                 "approved it.\n"
                 "Example: exeat grants --config /etc/exeat/exeat.toml",
                 "exeat grants"};
    question q;
    app.add_option("--config", q.config, "exeat.toml: its allowlist, and whom it trusts")->type_name("FILE");
    app.add_option("--allowlist", q.allowlist, "in place of the configuration's")->type_name("FILE");
    app.add_option("--format", q.format, "text (default) or json")->check(CLI::IsMember(formats));
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    if (!q.config.empty() || !q.allowlist.empty()) return list_grants(q);
    print_error("exeat grants: give --config or --allowlist\n");
    return wrong_usage;
}

} // namespace exeat::cli
