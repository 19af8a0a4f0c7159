#include <ops/load_allowlist.hpp>

#include <exeat/limits.hpp>
#include <net/random_seed.hpp>
#include <ops/allowlist_entries.hpp>
#include <ops/digest.hpp>
#include <ops/expectations.hpp>
#include <ops/file_source.hpp>
#include <ops/host_text.hpp>
#include <ops/hosts_file.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr std::array<std::string_view, 2> mode_words{"enforce", "report"};

// What the file says, before anything is compiled.
struct draft {
    policy_settings settings;
    std::vector<group> groups;
    std::vector<entry> entries;
    std::vector<expectation> expectations;
};

void read_mode(section& root, policy_settings& s, wall_time now)
{
    constexpr toml_key until{"report_until", "2026-12-24T00:00:00Z"};
    s.report = root.word({"mode", "\"enforce\""}, mode_words).value_or(0) == 1;
    if (const auto t = root.moment(until)) s.report_until = *t;
    if (s.report && !root.has(until.name))
        root.reject("mode", "report mode lets out what no entry names, so it needs an end; add report_until, at most 14 days ahead");
    if (!s.report && root.has(until.name))
        root.wrong().warning(root.where(until.name), "'report_until' says nothing without mode = \"report\"; remove it");
    if (!s.report || s.report_until == never) return;
    // A restart after the end must not be an outage: the list is enforced, as it is in a process that lived through the end.
    if (s.report_until <= now)
        root.wrong().warning(root.where(until.name),
                             "'report_until' has passed, so the list is enforced; set mode = \"enforce\" or a new end");
    else if (s.report_until > now + limits::report_ahead)
        root.reject(until.name, "'report_until' is more than 14 days ahead; write an earlier end");
}

policy_settings read_settings(section& root, wall_time now)
{
    policy_settings s;
    s.serial = static_cast<std::uint64_t>(root.integer({"serial", "7"}, 0, INT64_MAX).value_or(0));
    if (const auto t = root.moment({"expires", "2027-01-01T00:00:00Z"})) {
        s.expires = *t;
        if (*t <= now) root.wrong().warning(root.where("expires"), "the list has expired: everything is denied; renew 'expires'");
    }
    read_mode(root, s, now);
    s.deny_help = root.lines({"deny_help", "\"Ask in #egress\""}).value_or("");
    if (const auto* t = root.table({"defaults", "{}"})) {
        section d{*t, "[defaults]", root.wrong()};
        read_upload(d);
        d.done();
    }
    return s;
}

void warn_of_nobody(const draft& d, section& root)
{
    const bool lets_out = std::any_of(d.entries.begin(), d.entries.end(), [](const entry& e) { return e.value.kind != rule_kind::deny; });
    if (!lets_out && !root.has("serial"))
        root.wrong().error({1, 1}, "no [[allow]], no [[private_link]] and no 'serial', which is almost always a half-written file; to deny "
                                   "everything write serial = N");
    if (lets_out && d.groups.empty())
        root.wrong().warning({1, 1}, "there is no [groups.NAME], so every client is refused; add one with sources = [\"10.42.0.0/16\"]");
}

draft read_draft(const toml::table& tree, findings& wrong, wall_time now)
{
    draft d;
    section root{tree, "", wrong};
    if (tree.empty()) {
        wrong.error({1, 1}, "an empty allowlist is almost always a half-written one; to deny everything write serial = N");
        return d;
    }
    d.settings = read_settings(root, now);
    d.groups = read_groups(root);
    d.entries = read_entries(root, d.groups, now);
    d.expectations = read_expectations(root);
    root.done();
    warn_of_nobody(d, root);
    return d;
}

class compiler {
public:
    compiler(loaded_allowlist& out, findings& wrong, std::string_view text) : out_{out}, wrong_{wrong} { digest_.take(text); }

    void add(draft& d)
    {
        for (auto& g : d.groups) builder_.add_group(g);
        for (auto& e : d.entries) add_entry(e);
        d.settings.sha256 = sha256();
    }
    // Slots are given out last: a list that is refused uses none up.
    std::shared_ptr<const policy> finish(draft& d, label_registry& labels) &&
    {
        for (std::size_t i = 0; i < d.groups.size(); ++i) builder_.group_at(i).slot = labels.group_slot(d.groups[i].name);
        for (rule_index i = 0; i < d.entries.size(); ++i) {
            auto& r = builder_.rule_at(i);
            r.slot = labels.rule_slot(r.name, r.purpose);
        }
        return std::make_shared<const policy>(std::move(builder_).finish(std::move(d.settings)));
    }
    void tell_of_hosts_files()
    {
        for (auto& f : hosts_files_) f.move_to(out_.problems);
    }
    bool failed() const
    {
        return wrong_.failed() || std::any_of(hosts_files_.begin(), hosts_files_.end(), [](const findings& f) { return f.failed(); });
    }

private:
    void add_entry(entry& e)
    {
        const auto index = builder_.add_rule(e.value);
        for (const auto& host : e.hosts) add_host(index, host, wrong_);
        e.hosts = {};
        if (!e.hosts_file.empty()) add_hosts_file(index, e);
    }
    void add_hosts_file(rule_index index, const entry& e)
    {
        out_.files.push_back(e.hosts_file);
        auto& wrong = hosts_files_.emplace_back(e.hosts_file, limits::hosts_file_problems);
        const host_taker take = [&](const host_pattern& host) {
            auto objection = objection_to(host, e.value);
            if (objection.empty()) add_host(index, host, wrong);
            return objection;
        };
        const auto before = names_;
        digest_.take(read_hosts_file(e.hosts_file, take, wrong));
        if (names_ == before && !wrong.failed()) wrong.error({}, "names no host; write one name a line or remove hosts_file");
    }
    void add_host(rule_index index, const host_pattern& host, findings& wrong)
    {
        if (++names_ <= limits::names) builder_.add_host(index, host);
        else if (names_ == limits::names + 1) wrong.error({}, fmt::format("more than {} hosts in all; name fewer", limits::names));
    }
    std::string sha256()
    {
        const auto value = digest_.finish();
        if (!value) wrong_.error({}, "its SHA-256 could not be taken; check the OpenSSL installation");
        return value ? hexadecimal(*value) : std::string{};
    }

    loaded_allowlist& out_;
    findings& wrong_;
    policy_builder builder_{net::random_seed()};
    sha256_digest digest_;
    std::vector<findings> hosts_files_;
    std::size_t names_ = 0;
};

void compile(loaded_allowlist& out, findings& wrong, std::string_view text, label_registry& labels, wall_time now)
{
    auto tree = parse_toml(text, wrong);
    if (!tree) return;
    auto d = read_draft(*tree, wrong, now);
    tree.reset(); // the million names come now
    compiler c{out, wrong, text};
    c.add(d);
    if (!c.failed()) out.rules = std::move(c).finish(d, labels);
    if (out.rules) run_expectations(d.expectations, *out.rules, now, wrong);
    if (wrong.failed()) out.rules = nullptr;
    out.expectations = d.expectations.size();
    wrong.move_to(out.problems);
    c.tell_of_hosts_files();
}

} // namespace

loaded_allowlist load_allowlist(const std::string& path, label_registry& labels, wall_time now)
{
    loaded_allowlist out;
    out.files.push_back(path);
    findings wrong{path};
    if (const auto text = read_whole(path, limits::allowlist_bytes); !text) wrong.error({}, text.error());
    else compile(out, wrong, *text, labels, now);
    wrong.move_to(out.problems);
    return out;
}

} // namespace exeat::ops
