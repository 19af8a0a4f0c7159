#include <ops/load_allowlist.hpp>

#include <exeat/limits.hpp>
#include <net/random_seed.hpp>
#include <ops/allowlist_draft.hpp>
#include <ops/digest.hpp>
#include <ops/file_source.hpp>
#include <ops/host_text.hpp>
#include <ops/hosts_file.hpp>
#include <ops/lint.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

class compiler {
public:
    compiler(loaded_allowlist& out, findings& wrong, std::string_view text) : out_{out}, wrong_{wrong} { digest_.take(text); }

    void add(allowlist_draft& d)
    {
        for (auto& g : d.groups) builder_.add_group(g);
        for (auto& e : d.entries) add_entry(e);
        d.settings.sha256 = sha256();
        out_.statement.serial = d.settings.serial;
    }
    // Slots are given out last: a list that is refused uses none up.
    std::shared_ptr<const policy> finish(allowlist_draft& d, label_registry& labels) &&
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
        for (const auto& host : e.hosts) add_host(index, host.pattern, wrong_);
        e.hosts = {};
        if (!e.hosts_file.empty()) add_hosts_file(index, e);
    }
    void add_hosts_file(rule_index index, const entry& e)
    {
        out_.files.emplace_back(e.hosts_file);
        auto& wrong = hosts_files_.emplace_back(e.hosts_file, limits::hosts_file_problems);
        const host_taker take = [&](const host_pattern& host) {
            auto objection = objection_to(host, e);
            if (objection.empty()) add_host(index, host, wrong);
            return objection;
        };
        const auto before = names_;
        const auto digest = read_hosts_file(e.hosts_file, take, wrong);
        digest_.take(digest);
        out_.statement.hosts_files.push_back({hexadecimal(digest), beside(e.hosts_file)});
        if (names_ == before && !wrong.failed()) wrong.error({}, "names no host; write one name a line or remove hosts_file");
    }
    void add_host(rule_index index, const host_pattern& host, findings& wrong)
    {
        if (++names_ <= limits::names) builder_.add_host(index, host);
        else if (names_ == limits::names + 1) wrong.error({}, fmt::format("more than {} hosts in all; name fewer", limits::names));
    }
    std::string beside(const std::string& hosts_file) const
    {
        return std::filesystem::path{hosts_file}.lexically_relative(std::filesystem::path{wrong_.file()}.parent_path()).string();
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

struct loading {
    label_registry& labels;
    wall_time now;
    scrutiny how;
    const approval_rules* approvals;
};

void compile(loaded_allowlist& out, findings& wrong, std::string_view text, const loading& with, std::vector<std::string> approved_by)
{
    auto tree = parse_toml(text, wrong);
    if (!tree) return;
    auto d = read_draft(*tree, wrong, with.now);
    tree.reset(); // the million names come now
    d.settings.approved_by = std::move(approved_by);
    if (with.how == scrutiny::lint) lint(d, with.now, wrong);
    compiler c{out, wrong, text};
    c.add(d);
    if (!c.failed()) out.rules = std::move(c).finish(d, with.labels);
    if (out.rules) run_expectations(d.expectations, *out.rules, with.now, wrong);
    if (wrong.failed()) out.rules = nullptr;
    out.expectations = d.expectations.size();
    wrong.move_to(out.problems);
    c.tell_of_hosts_files();
}

std::string sha256_of(std::string_view text)
{
    sha256_digest d;
    d.take(text);
    const auto value = d.finish();
    return value ? hexadecimal(*value) : std::string{};
}

struct approved_content {
    approval_statement what;
    std::vector<std::string> by;
};

// What was approved, when it is about this file.
std::optional<approved_content> approved(loaded_allowlist& out, std::string_view sha256, const approval_rules& rules)
{
    const auto path = out.files.front().path + ".sig";
    out.files.emplace_back(path);
    const auto refuse = [&](std::string text) {
        out.problems.push_back({path, 0, 0, problem::weight::error, std::move(text)});
        out.why = load_refusal::unapproved;
        return std::nullopt;
    };
    const auto text = read_whole(path, limits::signature_file_bytes);
    if (!text) return refuse(text.error() + ". The list must be approved: 'exeat sign' writes this file");
    const auto read = read_signatures(*text);
    if (!read) return refuse(read.error() + "; 'exeat sign' writes this file");
    if (read->what.allowlist != sha256) return refuse("approves another content than the file has; sign it as it is now");
    auto by = check_approvals(*read, rules);
    if (!by) return refuse(by.error());
    return approved_content{read->what, std::move(*by)};
}

// What is known only once it is parsed: the serial, the end, and the hosts files.
void hold_to(const approval_statement& approved, loaded_allowlist& out, findings& wrong)
{
    if (approved != out.statement) wrong.error({}, "its serial or a hosts_file is not the one that was approved; sign it as it is now");
    if (out.rules->settings().expires == never)
        wrong.error({}, "an approved list must say how long it holds; add expires = 2027-01-01T00:00:00Z");
    if (!wrong.failed()) return;
    out.rules = nullptr;
    out.why = load_refusal::unapproved;
}

void load_text(loaded_allowlist& out, findings& wrong, std::string_view text, const loading& with)
{
    out.statement.allowlist = sha256_of(text);
    if (with.approvals == nullptr) return compile(out, wrong, text, with, {});
    auto is_approved = approved(out, out.statement.allowlist, *with.approvals);
    if (!is_approved) return;
    compile(out, wrong, text, with, std::move(is_approved->by));
    if (out.rules) hold_to(is_approved->what, out, wrong);
}

} // namespace

loaded_allowlist load_allowlist(const std::string& path, label_registry& labels, wall_time now, scrutiny how,
                                const approval_rules* approvals)
{
    loaded_allowlist out;
    out.files.emplace_back(path);
    findings wrong{path};
    const auto text = read_whole(path, limits::allowlist_bytes);
    if (!text) wrong.error({}, text.error());
    else load_text(out, wrong, *text, {labels, now, how, approvals});
    wrong.move_to(out.problems);
    if (out.rules) out.why = load_refusal::none;
    return out;
}

} // namespace exeat::ops
