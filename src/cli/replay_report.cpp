#include <cli/replay_report.hpp>

#include <ops/offline/narrow_list.hpp>
#include <ops/text/diagnostics.hpp>
#include <ops/text/json_text.hpp>
#include <ops/text/volume_text.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <span>

namespace exeat::cli {

namespace {

using ops::replay_result;
using ops::replay_row;

std::string times(std::uint64_t n) { return n == 1 ? "once" : fmt::format("{} times", n); }

std::string volume_text(const ops::replay_volume& v)
{
    const auto moved = fmt::format(", {} up, {} down", ops::volume_text(v.upload), ops::volume_text(v.download));
    return times(v.requests) + (v.upload + v.download == 0 ? "" : moved);
}

std::string host_text(const replay_row& r)
{
    return fmt::format("{}:{}{} ({})", ops::written_host(r.host), r.port, r.via == approach::http ? " over http" : "",
                       volume_text(r.volume));
}

std::string group_text(const std::string& name) { return name == "_none" ? "no group" : name; }

std::string entry_text(const rule& r)
{
    return r.line == 0 ? "report mode" : fmt::format("{} ({}:{})", ops::as_shown(r.name), ops::one_line(r.file), r.line);
}

std::string opening_text(const replay_row& r)
{
    return fmt::format("+ newly allowed for {} by {}, was {}", group_text(r.group), entry_text(*r.by), to_string(r.was));
}

std::string closing_text(const replay_row& r)
{
    auto out = fmt::format("- newly denied for {}: {}", group_text(r.group), to_string(r.is));
    if (r.by != nullptr) out += fmt::format(" by {}", entry_text(*r.by));
    return out + (r.reported ? ", was let pass by report mode" : fmt::format(", was allowed by {}", ops::as_shown(r.entry)));
}

// The rows from the front that form one paragraph.
std::span<const replay_row> paragraph(std::span<const replay_row> rows)
{
    const auto& f = rows.front();
    const auto same = [&f](const replay_row& r) {
        return r.opens == f.opens && r.group == f.group && r.entry == f.entry && r.by == f.by && r.was == f.was && r.is == f.is &&
               r.reported == f.reported;
    };
    return rows.first(static_cast<std::size_t>(std::find_if_not(rows.begin(), rows.end(), same) - rows.begin()));
}

std::string rows_text(std::span<const replay_row> rows, std::size_t most)
{
    std::string out;
    while (!rows.empty()) {
        const auto together = paragraph(rows);
        rows = rows.subspan(together.size());
        out += (together.front().opens ? opening_text(together.front()) : closing_text(together.front())) + "\n";
        for (const auto& r : together.first(std::min(most, together.size()))) out += fmt::format("    {}\n", host_text(r));
        if (together.size() > most) out += fmt::format("    and {} more\n", together.size() - most);
    }
    return out;
}

std::string not_replayed_text(const replay_result& result)
{
    std::string out;
    for (std::size_t i = 0; i < verdicts; ++i)
        if (const auto n = result.not_replayed[i]; n > 0)
            out += fmt::format("{}{} {}", out.empty() ? "" : ", ", n, to_string(static_cast<verdict>(i)));
    return out;
}

std::uint64_t not_replayed_count(const replay_result& result)
{
    std::uint64_t n = 0;
    for (const auto each : result.not_replayed) n += each;
    return n;
}

} // namespace

std::string to_text(const replay_result& result, const read_log& log, std::size_t most)
{
    auto out = fmt::format("{} from {}: {} newly allowed, {} newly denied, {} still allowed, {} still refused\n",
                           ops::counted(log.requests, "request", "requests"), log.span(), result.newly_allowed, result.newly_denied,
                           result.still_allowed, result.still_refused);
    out += rows_text(result.rows, most);
    if (result.beyond.requests > 0)
        out += fmt::format("and changes beyond the {} that are listed: {}\n", limits::replay_rows, volume_text(result.beyond));
    if (result.newly_known > 0)
        out += fmt::format("+ {} from clients in no group; the new list has them in one\n",
                           ops::counted(result.newly_known, "connection came", "connections came"));
    if (result.by_report_mode > 0)
        out += fmt::format("{} of those that pass do so only by the new list's report mode\n", result.by_report_mode);
    if (const auto n = not_replayed_count(result); n > 0)
        out += fmt::format("{} cannot be decided from the log, as it takes more than the list: {}\n", n, not_replayed_text(result));
    return out;
}

boost::json::object to_json(const replay_result& result, const read_log& log)
{
    boost::json::array rows;
    for (const auto& r : result.rows) {
        boost::json::object row{{"change", r.opens ? "allowed" : "denied"}, {"group", r.group}};
        if (!r.opens) row["was_entry"] = r.entry;
        row["was"] = to_string(r.opens || r.reported ? r.was : verdict::allowed);
        row["is"] = to_string(r.is);
        row["reported"] = r.reported;
        if (r.by != nullptr) row["entry"] = r.by->name, row["file"] = r.by->file, row["line"] = r.by->line;
        row["host"] = r.host, row["port"] = r.port, row["http"] = r.via == approach::http;
        row["requests"] = r.volume.requests, row["upload"] = r.volume.upload, row["download"] = r.volume.download;
        rows.push_back(std::move(row));
    }
    boost::json::object not_replayed;
    for (std::size_t i = 0; i < verdicts; ++i)
        if (result.not_replayed[i] > 0) not_replayed[to_string(static_cast<verdict>(i))] = result.not_replayed[i];
    return {{"log", to_json(log)},
            {"changes", result.changes()},
            {"newly_allowed", result.newly_allowed},
            {"newly_denied", result.newly_denied},
            {"still_allowed", result.still_allowed},
            {"still_refused", result.still_refused},
            {"newly_known_clients", result.newly_known},
            {"by_report_mode", result.by_report_mode},
            {"not_replayed", std::move(not_replayed)},
            {"rows", std::move(rows)},
            {"rows_beyond", result.beyond.requests}};
}

} // namespace exeat::cli
