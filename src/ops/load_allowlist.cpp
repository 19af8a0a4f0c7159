#include <ops/load_allowlist.hpp>

#include <exeat/limits.hpp>
#include <ops/compile_allowlist.hpp>
#include <ops/end_mark.hpp>
#include <ops/file_source.hpp>
#include <ops/lint.hpp>
#include <ops/part_files.hpp>

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <map>

namespace exeat::ops {

namespace {

class loader {
public:
    loader(loaded_allowlist& out, label_registry& labels, wall_time now, const load_options& with)
        : out_{out}, labels_{labels}, now_{now}, with_{with}, compiler_{out.files, with.require_end}
    {}

    void load(const std::string& path)
    {
        parts_.emplace_back(path, approval_subject::allowlist);
        if (read_allowlist(path)) read_parts(path);
        if (with_.how == scrutiny::lint && drafted_) lint_allowlist();
        compile();
        if (out_.rules && with_.approvals != nullptr) hold_to_approvals();
        if (out_.rules) out_.why = load_refusal::none;
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
        else if (compiler_.take_text(*text); check(p, *text)) draft(p, *text);
        return !p.wrong.failed();
    }
    void read_parts(const std::string& allowlist)
    {
        const auto directory = parts_directory(allowlist);
        out_.files.emplace_back(directory + "/."); // before it is read; what comes and goes in it is a change of this one
        const auto files = part_files(directory);
        if (!files) return parts_.front().wrong.error({}, fmt::format("its {}: {}", directory, files.error()));
        for (const auto& path : *files)
            if (with_.also == nullptr || with_.also->first != path) read_part_file(path);
        if (with_.also != nullptr) read_part_text(with_.also->first, with_.also->second);
    }
    void read_part_file(const std::string& path)
    {
        out_.files.emplace_back(path);
        const auto text = read_whole(path, limits::list_part_bytes);
        if (text) trace(*text);
        if (text) read_part_text(path, *text);
        else parts_.emplace_back(path, approval_subject::grant).wrong.error({}, text.error());
    }
    void read_part_text(const std::string& path, std::string_view text)
    {
        auto& p = parts_.emplace_back(path, approval_subject::grant);
        if (check(p, text)) draft(p, text);
    }

    // What the file that was named last says.
    void trace(std::string_view text)
    {
        content_trace said;
        said.take(text);
        out_.files.back().content = std::make_shared<const content_trace>(std::move(said));
    }

    // Its digest; and that it is approved, where it must be.
    bool check(list_part& p, std::string_view text)
    {
        sha256_digest digest;
        digest.take(text);
        const auto value = digest.finish();
        if (!value) {
            p.wrong.error({}, "its SHA-256 could not be taken; check the OpenSSL installation");
            return false;
        }
        p.statement.allowlist = hexadecimal(*value);
        if (p.statement.about == approval_subject::grant) compiler_.take_digest(*value);
        return with_.approvals == nullptr || is_approved(p);
    }
    bool is_approved(list_part& p)
    {
        const auto path = p.path() + ".sig";
        out_.files.emplace_back(path);
        const auto text = read_whole(path, limits::signature_file_bytes);
        if (!text) return refuse(path, text.error() + ". The list must be approved: 'exeat sign' writes this file");
        const auto read = read_signatures(*text);
        if (!read) return refuse(path, read.error() + "; 'exeat sign' writes this file");
        if (read->what.about != p.statement.about) return refuse(path, "approves another kind of file; sign this one");
        if (read->what.allowlist != p.statement.allowlist)
            return refuse(path, "approves another content than the file has; sign it as it is now");
        auto by = check_approvals(*read, *with_.approvals);
        if (!by) return refuse(path, by.error());
        p.approved_by = std::move(*by);
        approved_.push_back(read->what);
        return true;
    }
    bool refuse(const std::string& path, std::string text)
    {
        out_.problems.push_back({path, 0, 0, problem::weight::error, std::move(text)});
        out_.why = load_refusal::unapproved;
        return false;
    }

    // Whether it is all there, as far as its last line tells.
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
        p.statement.serial = p.draft.settings.serial;
        if (with_.how == scrutiny::lint && !first) lint_entries(p.draft, p.wrong, with_.site); // it is there to end
        for (const auto& e : p.draft.entries) hold_name_for(p, e.value);
    }
    void hold_name_for(list_part& p, const rule& r)
    {
        const auto [at, is_new] = names_.emplace(r.name, &r);
        const bool elsewhere = !is_new && at->second->file != r.file; // twice in one file is told by its reader
        if (elsewhere)
            p.wrong.error({r.line, 1}, fmt::format("{} is an entry of {}:{} already; give this one another name", as_shown(r.name),
                                                   at->second->file, at->second->line));
        if (++rules_ == limits::rules + 1 && &p != &parts_.front())
            p.wrong.error({r.line, 1}, fmt::format("more than {} entries in all files; join some", limits::rules));
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
        lint(parts_.front().draft, now_, parts_.front().wrong, parts_.size() > 1 ? used : group_set{}, with_.site);
    }
    void compile()
    {
        auto& main = parts_.front();
        main.draft.settings.approved_by = main.approved_by;
        for (auto& p : parts_) compiler_.add(p);
        if (!failed() && !compiler_.failed()) out_.rules = std::move(compiler_).finish(main.draft.settings, labels_, main.wrong);
        if (out_.rules) run_expectations(main.draft.expectations, *out_.rules, now_, with_.site, main.wrong);
        if (main.wrong.failed()) out_.rules = nullptr;
    }

    // What is known only once it is parsed: the serial, the end, and the hosts files.
    void hold_to_approvals()
    {
        for (std::size_t i = 0; i < parts_.size(); ++i) hold_to(parts_[i], approved_[i]);
        if (!failed()) return;
        out_.rules = nullptr;
        out_.why = load_refusal::unapproved;
    }
    void hold_to(list_part& p, const approval_statement& approved) const
    {
        const auto ends = p.draft.settings.expires;
        const bool grant = p.statement.about == approval_subject::grant;
        if (approved != p.statement) p.wrong.error({}, "its serial or a hosts_file is not the one that was approved; sign it as it is now");
        if (ends == never) p.wrong.error({}, "what is approved must say how long it holds; add expires = 2027-01-01T00:00:00Z");
        else if (grant && ends > now_ + limits::grant_ahead)
            p.wrong.error({}, "an approved file of this directory holds 31 days at most; write an earlier 'expires'");
    }

    void tell()
    {
        for (const auto& e : parts_.front().draft.expectations) out_.expectations.push_back(to_string(e));
        for (auto& p : parts_) {
            out_.lists.push_back({p.path(), p.statement, p.approved_by, p.draft.settings.expires});
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
    std::vector<approval_statement> approved_;
    std::map<std::string_view, const rule*> names_;
    std::size_t rules_ = 0;
    bool drafted_ = false;
};

} // namespace

loaded_allowlist load_allowlist(const std::string& path, label_registry& labels, wall_time now, const load_options& with)
{
    loaded_allowlist out;
    loader{out, labels, now, with}.load(path);
    return out;
}

} // namespace exeat::ops
