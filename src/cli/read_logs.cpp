#include <cli/output.hpp>
#include <cli/read_logs.hpp>

#include <exeat/limits.hpp>
#include <ops/text/diagnostics.hpp>
#include <ops/text/quantity.hpp>
#include <ops/text/utc.hpp>
#include <ops/text/volume_text.hpp>

#include <boost/json/array.hpp>

#include <fmt/format.h>

namespace exeat::cli {

namespace {

bool complain(std::string_view text)
{
    print_error("{}\n", ops::one_line(text));
    return false;
}

// False: the file cannot be read, or is not an audit log.
bool read_file(const std::string& path, ops::audit_reader& reader, std::vector<std::string>& gaps)
{
    const auto before = reader.read_so_far();
    const auto problem = reader.read(path);
    const auto& after = reader.read_so_far();
    const auto events = after.events - before.events, foreign = after.foreign - before.foreign, cut = after.cut - before.cut;
    const auto name = ops::as_shown(path);
    if (!problem.empty() && events == 0) return complain(fmt::format("{} {}", name, problem));
    if (events == 0 && foreign + cut > 0) return complain(fmt::format("{}: no line of an audit log is in it", name));
    if (!problem.empty()) gaps.push_back(fmt::format("{} {}; what came before was read", name, problem));
    if (foreign > 0)
        gaps.push_back(fmt::format("{}: {}", name,
                                   ops::counted(foreign, "line is none of an audit log's and was not read",
                                                "lines are none of an audit log's and were not read")));
    if (cut > 0) gaps.push_back(fmt::format("{}: the last line is cut and was not read", name));
    return true;
}

std::optional<wall_time> beginning(const std::string& since, wall_time now)
{
    if (since.empty()) return wall_time::min();
    const auto span = ops::parse_duration(since);
    if (!span) return std::nullopt;
    return now - std::chrono::ceil<std::chrono::seconds>(*span);
}

} // namespace

void log_question::add_to(CLI::App& app)
{
    app.add_option("--audit", files, "an audit log, as it is or gzipped; - is the standard input. Of rotated ones the oldest first")
        ->required()
        ->type_name("FILE")
        ->allow_extra_args(false);
    app.add_option("--since", since, "only what happened in the last 24h, 7d, …")->type_name("TIME")->check([](const std::string& text) {
        return ops::parse_duration(text) ? std::string{} : "write it like 24h or 7d";
    });
}

std::string read_log::span() const { return first ? ops::utc(*first) + " to " + ops::utc(*last) : "no time at all"; }

std::optional<read_log> read_logs(const log_question& q, ops::request_taker& to, wall_time now)
{
    const auto since = beginning(q.since, now);
    if (!since) return std::nullopt;
    ops::logged_traffic traffic{to, *since};
    ops::audit_reader reader{[&traffic](const ops::logged_event& e) { traffic.take(e); }};
    read_log out;
    for (const auto& path : q.files)
        if (!read_file(path, reader, out.gaps)) return std::nullopt;
    if (traffic.untracked() > 0)
        out.gaps.push_back(fmt::format("more than {} tunnels were open at once: {} may count a request twice", limits::logged_tunnels,
                                       ops::counted(traffic.untracked(), "line of others", "lines of others")));
    for (const auto& gap : out.gaps) complain(gap);
    out.requests = traffic.requests();
    out.still_open = traffic.still_open();
    out.first = traffic.first();
    out.last = traffic.last();
    out.lines = reader.read_so_far();
    return out;
}

boost::json::object to_json(const read_log& log)
{
    boost::json::object out{{"requests", log.requests},
                            {"still_open", log.still_open},
                            {"lines", log.lines.events},
                            {"unread_lines", log.lines.foreign + log.lines.cut},
                            {"gaps", boost::json::array(log.gaps.begin(), log.gaps.end())}};
    if (log.first) out["first"] = ops::utc(*log.first), out["last"] = ops::utc(*log.last);
    return out;
}

} // namespace exeat::cli
