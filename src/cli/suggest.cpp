#include <cli/loaded_files.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <cli/read_logs.hpp>
#include <ops/files/end_mark.hpp>
#include <ops/files/file_source.hpp>
#include <ops/offline/narrow_toml.hpp>
#include <ops/offline/unused_entries.hpp>
#include <ops/text/volume_text.hpp>

#include <chrono>
#include <fmt/format.h>

namespace exeat::cli {

namespace {

struct question {
    log_question logs;
    std::string allowlist, format = "text";
    ops::narrow_wishes wishes;
    bool report = false;
};

struct answer {
    read_log log;
    ops::narrow_list list;
    std::vector<ops::entry_use> uses;
    std::vector<std::string> gaps; // what is missing because tables were full
};

// Empty when the list does not load; its problems have been printed.
std::optional<ops::allowlist_draft> given_list(const std::string& path, wall_time now)
{
    const auto files = load_files("", path);
    for (const auto& p : files.problems)
        if (p.how == ops::problem::weight::error) print_error("{}\n", p.to_string());
    if (!files.list.rules) return std::nullopt;
    ops::diagnostics wrong{path};
    const auto text = ops::read_whole(path, limits::allowlist_bytes);
    const auto tree = text ? ops::parse_toml(ops::without_end_mark(*text).text, wrong) : std::nullopt;
    if (!tree) return std::nullopt; // the file has changed since it was loaded
    return ops::read_draft(*tree, wrong, now);
}

std::vector<std::string> full_tables(const ops::observed_use& seen, const ops::narrow_list& list)
{
    std::vector<std::string> out;
    const auto tell = [&out](bool when, std::string text) {
        if (when) out.push_back(std::move(text));
    };
    tell(seen.beyond() > 0, fmt::format("{} to more than {} different targets left out", ops::counted(seen.beyond(), "request", "requests"),
                                        limits::observed_targets));
    tell(seen.clients_beyond(), fmt::format("a group had more than {} clients: write its networks", limits::sources_per_group));
    tell(seen.uploads_beyond(), "some clients' uploads were not looked at: too many");
    tell(seen.unattributed() > 0,
         fmt::format("{} of no group that has a name left out", ops::counted(seen.unattributed(), "request", "requests")));
    tell(seen.forgotten() > 0, fmt::format("{} forgotten; the counts of others may be too low",
                                           ops::counted(seen.forgotten(), "rarely refused target was", "rarely refused targets were")));
    tell(!list.whole(), "an allowlist cannot say all of it: see the comments");
    return out;
}

std::vector<std::string> head(const answer& a)
{
    std::vector<std::string> out{fmt::format("The narrowest list that would have served {}. Review it before you use it.", a.log.span()),
                                 fmt::format("{} read; {} still open.", ops::counted(a.log.requests, "request was", "requests were"),
                                             ops::counted(a.log.still_open, "tunnel was", "tunnels were"))};
    out.insert(out.end(), a.log.gaps.begin(), a.log.gaps.end());
    out.insert(out.end(), a.gaps.begin(), a.gaps.end());
    return out;
}

boost::json::array strings(const std::vector<std::string>& all) { return boost::json::array(all.begin(), all.end()); }

boost::json::object to_json(const ops::entry_use& u)
{
    boost::json::array wildcards;
    for (const auto& w : u.wildcards)
        wildcards.push_back(boost::json::object{{"pattern", w.pattern}, {"names", strings(w.names)}, {"replaceable", w.replaceable()}});
    return {{"entry", u.what->value.name},    {"file", u.what->value.file},        {"line", u.what->value.line},
            {"requests", u.requests},         {"unused_hosts", strings(u.unused)}, {"wildcards", std::move(wildcards)},
            {"busiest_hour", u.busiest_hour}, {"tenth_would_do", u.tenth()}};
}

boost::json::object to_json(const ops::narrow_entry& e)
{
    boost::json::array ports(e.value.ports.begin(), e.value.ports.end());
    return {{"name", e.value.name},
            {"kind", to_string(e.value.kind)},
            {"protocol", to_string(e.value.protocol)},
            {"purpose", to_string(e.value.purpose)},
            {"hosts", strings(e.hosts)},
            {"ports", std::move(ports)},
            {"groups", strings(e.groups)},
            {"served_by", e.origin},
            {"reported", e.reported},
            {"requests", e.requests},
            {"upload", e.upload},
            {"download", e.download},
            {"busiest_hour", e.busiest_hour},
            {"proposed_upload", ops::proposed_upload(e.busiest_hour)}};
}

boost::json::object to_json(const answer& a)
{
    boost::json::array entries, candidates, uses;
    for (const auto& e : a.list.entries) entries.push_back(to_json(e));
    for (const auto& c : a.list.candidates)
        candidates.push_back(boost::json::object{{"host", c.what.host},
                                                 {"port", c.what.port},
                                                 {"http", c.what.via == approach::http},
                                                 {"group", c.what.group},
                                                 {"denied", to_string(c.what.verdict)},
                                                 {"times", c.times}});
    for (const auto& u : a.uses) uses.push_back(to_json(u));
    return {{"log", to_json(a.log)},         {"gaps", strings(a.gaps)},
            {"whole", a.list.whole()},       {"allowlist", ops::to_toml(a.list, head(a), {})},
            {"entries", std::move(entries)}, {"candidates", std::move(candidates)},
            {"uses", std::move(uses)}};
}

std::string report_text(const answer& a)
{
    const auto lines = ops::to_lines(a.uses);
    auto out = fmt::format("{} from {}\n", ops::counted(a.log.requests, "request", "requests"), a.log.span());
    for (const auto& line : lines) out += line + "\n";
    return lines.empty() ? out + "every entry, host and wildcard was used\n" : out;
}

void print(const question& q, const answer& a)
{
    for (const auto& gap : a.gaps) print_error("{}\n", gap);
    if (q.format == "json") print_as_json(to_json(a));
    else if (q.report) print_out("{}", report_text(a));
    else print_out("{}", ops::to_toml(a.list, head(a), ops::to_lines(a.uses)));
}

} // namespace

int suggest(int argc, char** argv)
{
    CLI::App app{"Writes the narrowest allowlist that would have served the requests of an audit log. Example: exeat suggest --audit "
                 "audit.jsonl --allowlist allowlist.toml",
                 "exeat suggest"};
    question q;
    q.logs.add_to(app);
    auto* list =
        app.add_option("--allowlist", q.allowlist, "the list in force: its groups and its entries' owners are kept")->type_name("FILE");
    app.add_flag("--report", q.report, "say what of --allowlist was not used instead")->needs(list);
    app.add_flag("--reported", q.wishes.reported, "make entries, too, of what only report mode let pass");
    app.add_option("--times", q.wishes.times, "a refused host asked for so often is a candidate, in a comment")->capture_default_str();
    app.add_option("--format", q.format, "text, or json (everything)")->check(CLI::IsMember(formats));
    if (const auto leave = parse_arguments(app, argc, argv)) return *leave;

    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto given = q.allowlist.empty() ? std::nullopt : given_list(q.allowlist, now);
    if (!q.allowlist.empty() && !given) return wrong_usage;
    ops::observed_use seen;
    auto log = read_logs(q.logs, seen, now);
    if (!log) return wrong_usage;
    answer a{std::move(*log), ops::narrow(seen, given ? &*given : nullptr, q.wishes), {}, {}};
    if (given) a.uses = ops::uses_of(*given, seen);
    a.gaps = full_tables(seen, a.list);
    print(q, a);
    const bool complete = a.list.whole() && seen.beyond() == 0 && seen.unattributed() == 0 && !seen.clients_beyond();
    return complete ? success : failure;
}

} // namespace exeat::cli
