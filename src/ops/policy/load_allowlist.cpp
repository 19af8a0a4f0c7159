#include <ops/policy/load_allowlist.hpp>

#include <exeat/limits.hpp>
#include <ops/files/end_mark.hpp>
#include <ops/files/file_source.hpp>
#include <ops/policy/compile_allowlist.hpp>
#include <ops/policy/lint.hpp>
#include <ops/policy/part_files.hpp>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fmt/format.h>
#include <map>

namespace exeat::ops {

namespace {

class loader {
public:
    loader(loaded_allowlist& out, label_registry& labels, wall_time now, const load_options& with)
        : out_{out}, labels_{labels}, now_{now}, with_{with}, compiler_{out.files, with.require_end, with.approved}
    {}

    void load(const std::string& path)
    {
        if (with_.approved != nullptr) take_approved(*with_.approved);
        else if (parts_.emplace_back(path, list_kind::allowlist); read_allowlist(path)) read_parts(path);
        if (with_.how == scrutiny::lint && drafted_) lint_allowlist();
        compile();
        if (out_.rules) out_.why = load_refusal::none;
        else if (compiler_.unapproved()) out_.why = load_refusal::unapproved;
        tell();
    }

private:
    bool read_allowlist(const std::string& path)
    {
        auto& p = parts_.front();
        out_.files.emplace_back(path);
        const auto text = read_whole(path, limits::allowlist_bytes);
        if (text) trace(*text);
        if (!text) p.wrong.error({}, text.error());
        else if (compiler_.take_text(*text); take_digest(p, *text)) draft(p, *text);
        return !p.wrong.failed();
    }
    void read_parts(const std::string& allowlist)
    {
        const auto directory = parts_directory(allowlist);
        out_.files.emplace_back(directory + "/."); // watched before it is read, to notice files that come or go
        const auto files = part_files(directory);
        if (!files) return parts_.front().wrong.error({}, fmt::format("its {}: {}", directory, files.error()));
        for (const auto& path : *files)
            if ((with_.also == nullptr || with_.also->first != path) && !is_left_out(path)) read_part_file(path);
        if (with_.also != nullptr) read_part_text(with_.also->first, with_.also->second);
    }
    bool is_left_out(const std::string& path) const
    {
        std::error_code failed;
        return with_.without_grants && std::filesystem::exists(path + std::string{grant_suffix}, failed);
    }
    void read_part_file(const std::string& path)
    {
        out_.files.emplace_back(path);
        const auto text = read_whole(path, limits::list_part_bytes);
        if (text) trace(*text);
        if (text) read_part_text(path, *text);
        else parts_.emplace_back(path, list_kind::part).wrong.error({}, text.error());
    }
    void read_part_text(const std::string& path, std::string_view text)
    {
        auto& p = parts_.emplace_back(path, list_kind::part);
        if (take_digest(p, text)) draft(p, text);
    }

    // Records the content of the file that was added last.
    void trace(std::string_view text)
    {
        content_trace said;
        said.take(text);
        out_.files.back().content = std::make_shared<const content_trace>(std::move(said));
    }

    bool take_digest(list_part& p, std::string_view text)
    {
        sha256_digest digest;
        digest.take(text);
        const auto value = digest.finish();
        if (!value) {
            p.wrong.error({}, "its SHA-256 could not be taken; check the OpenSSL installation");
            return false;
        }
        p.sha256 = hexadecimal(*value);
        if (p.kind != list_kind::allowlist) compiler_.take_digest(*value);
        if (p.revoked) compiler_.take_digest(*value); // with and without the revocation are two policies
        return true;
    }
    void take_approved(const approved_files& all)
    {
        for (const auto& f : all.lists) {
            auto& p = parts_.emplace_back(f.path, f.kind);
            p.approved_by = f.approved_by;
            p.ends = f.revoked ? wall_time{} : f.ends;
            p.revoked = f.revoked;
            ended_ = ended_ || f.revoked;
            if (f.kind == list_kind::allowlist) compiler_.take_text(f.text);
            if (take_digest(p, f.text)) draft(p, f.text);
        }
    }

    // Whether the file is complete, according to its last line.
    bool is_whole(list_part& p, const marked_text& marked) const
    {
        if (marked.wrong_at != 0) p.wrong.error({marked.wrong_at, 1}, "'end' marks the end of a whole list; write end = true");
        else if (with_.require_end && !marked.whole)
            p.wrong.error(
                {}, "does not end with the line end = true, which [policy] require_end requires, so it may be only a part of the file; "
                    "copy it again, or add the line");
        else return true;
        return false;
    }

    void draft(list_part& p, std::string_view text)
    {
        const auto marked = without_end_mark(text);
        if (!is_whole(p, marked)) return;
        const auto tree = parse_toml(marked.text, p.wrong);
        if (!tree) return;
        auto& main = parts_.front().draft;
        const bool first = &p == &parts_.front();
        drafted_ = true;
        p.draft = first ? read_draft(*tree, p.wrong, now_) : read_part(*tree, p.wrong, main.groups, now_);
        refuse_groups_without_pods(p);
        end_early(p);
        if (with_.how == scrutiny::lint && !first) lint_entries(p.draft, p.wrong, with_.site, with_.site_known); // expiry of a part is fine
        for (const auto& e : p.draft.entries) hold_name_for(p, e.value);
    }
    // What a revoked file denies stays in force; what it allows has expired, and still hides what other entries allow for the same host.
    static void end_early(list_part& p)
    {
        for (auto& e : p.draft.entries)
            if (e.value.kind != rule_kind::deny) e.value.expires = std::min(e.value.expires, p.ends);
        for (const auto& e : p.draft.entries) {
            if (p.kind != list_kind::grant) return;
            if (e.value.kind == rule_kind::deny) p.wrong.error({e.value.line, 1}, "a grant only opens; write [[deny]] in the list");
            if (!e.hosts_file.empty()) p.wrong.error(e.hosts_file_at, "a grant names its hosts itself; write 'hosts'");
        }
    }
    // Nobody would be in such a group, so a list that works elsewhere would be an outage here.
    void refuse_groups_without_pods(list_part& p) const
    {
        if (with_.pods.value_or(true)) return;
        for (const auto& g : p.draft.groups)
            if (g.workloads.any())
                p.wrong.error({g.line, 1},
                              fmt::format("group {} is of pods, and exeat.toml has no [kubernetes], so nobody would be in it; add "
                                          "[kubernetes], or write sources",
                                          as_shown(g.name)));
    }
    void hold_name_for(list_part& p, const rule& r)
    {
        const auto [at, is_new] = names_.emplace(r.name, &r);
        const bool elsewhere = !is_new && at->second->file != r.file; // a duplicate in one file is reported by its reader
        if (elsewhere)
            p.wrong.error({r.line, 1}, fmt::format("{} is an entry of {}:{} already; give this one another name", as_shown(r.name),
                                                   at->second->file, at->second->line));
        hold_account_for(p, r);
        if (++rules_ == limits::rules + 1 && &p != &parts_.front())
            p.wrong.error({r.line, 1}, fmt::format("more than {} entries in all files; join some", limits::rules));
    }

    // All entries of an account must have the same limits.
    void hold_account_for(list_part& p, const rule& r)
    {
        if (r.account.empty()) return;
        const auto [at, is_new] = accounts_.emplace(r.account, &r);
        const auto& other = *at->second;
        if (is_new || (other.upload == r.upload && other.upload_identity == r.upload_identity && other.upload_total == r.upload_total))
            return;
        p.wrong.error({r.line, 1}, fmt::format("{} shares account {} with {} ({}:{}), which has another upload, upload_identity or "
                                               "upload_total; write the "
                                               "same in both, or give this one an account of its own",
                                               as_shown(r.name), as_shown(r.account), as_shown(other.name), other.file, other.line));
    }

    bool failed() const
    {
        if (!out_.problems.empty()) return true;
        return std::any_of(parts_.begin(), parts_.end(), [](const list_part& p) { return p.wrong.failed(); });
    }
    void lint_allowlist()
    {
        group_set used;
        for (const auto& p : parts_)
            for (const auto& e : p.draft.entries) used |= e.value.groups;
        lint(parts_.front().draft, now_, parts_.front().wrong, parts_.size() > 1 ? used : group_set{}, with_.site, with_.site_known);
    }
    void compile()
    {
        auto& main = parts_.front();
        main.draft.settings.approved_by = main.approved_by;
        for (auto& p : parts_) compiler_.add(p);
        if (!failed() && !compiler_.failed()) out_.rules = std::move(compiler_).finish(main.draft.settings, labels_, main.wrong);
        if (out_.rules) hold_to_expectations(main);
        if (main.wrong.failed()) out_.rules = nullptr;
    }

    // A revocation can make expectations fail and must not wait for them to be fixed, so they are only warnings then.
    void hold_to_expectations(list_part& main) const
    {
        diagnostics unmet{main.path()};
        run_expectations(main.draft.expectations, *out_.rules, now_, with_.site, ended_ ? unmet : main.wrong);
        std::vector<problem> all;
        unmet.move_to(all);
        for (auto& p : all) main.wrong.warning({p.line, p.column}, std::move(p.text));
    }

    void tell()
    {
        for (const auto& e : parts_.front().draft.expectations) out_.expectations.push_back(to_string(e));
        for (auto& p : parts_) {
            out_.lists.push_back({p.kind, p.path(), p.sha256, p.draft.settings.serial, std::move(p.hosts_files), p.approved_by,
                                  p.draft.settings.expires, p.ends, p.revoked});
            p.wrong.move_to(out_.problems);
        }
        compiler_.tell_of_hosts_files(out_.problems);
    }

    loaded_allowlist& out_;
    label_registry& labels_;
    const wall_time now_;
    const load_options& with_;
    allowlist_compiler compiler_;
    std::deque<list_part> parts_; // the allowlist first
    std::map<std::string_view, const rule*> names_, accounts_;
    std::size_t rules_ = 0;
    bool drafted_ = false, ended_ = false; // ended_: a file is revoked
};

} // namespace

loaded_allowlist load_allowlist(const std::string& path, label_registry& labels, wall_time now, const load_options& with)
{
    loaded_allowlist out;
    loader{out, labels, now, with}.load(path);
    return out;
}

} // namespace exeat::ops
