#include <cli/live/header.hpp>

#include <ops/text/utc.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace exeat::cli::live {

namespace {

using std::chrono::seconds;
using pieces = std::vector<piece>;

constexpr std::size_t ample_columns = 120;

enum class room_for { little, most, all };

piece state(const status_answer& s)
{
    if (s.draining) return {"DRAINING", tone::warning};
    return s.ready ? piece{"READY", tone::good} : piece{"NOT READY", tone::critical};
}

piece audit(const status_answer& s)
{
    if (!s.audit_healthy) return {"AUDIT FAILS", tone::critical};
    if (s.audit_dropped > 0) return {fmt::format("AUDIT LOST {}", count_text(s.audit_dropped)), tone::critical};
    return {"audit ok", tone::good};
}

pieces who(const status_answer& s, const std::string& host, room_for how_much)
{
    pieces out{{"exeat " + s.version, tone::title}, state(s), audit(s), {"running " + span_text(s.uptime)}};
    if (how_much > room_for::little) out.push_back({host, tone::faint});
    out.push_back({how_much == room_for::all ? ops::utc(s.now) : ops::utc(s.now).substr(11), tone::faint});
    return out;
}

// "expires in 3d 4h"; the nearer the end, the stronger the tone.
piece ending(std::string_view what, std::optional<wall_time> at, wall_time now)
{
    if (!at) return {};
    if (*at <= now) return {"EXPIRED", tone::critical};
    const auto left = *at - now;
    const auto how = left < std::chrono::days{1} ? tone::critical : left < limits::expiry_notice ? tone::warning : tone::plain;
    return {fmt::format("{} {}", what, span_text(left)), how};
}

pieces enforced(const status_answer& s, room_for how_much)
{
    if (!s.policy) return {{"NO POLICY", tone::critical}};
    const auto& p = *s.policy;
    pieces out{{fmt::format("policy {}", p.serial)}};
    if (p.mode == "report") out.push_back({"REPORT MODE", tone::warning}), out.push_back(ending("for", p.report_until, s.now));
    else out.push_back({p.mode});
    out.push_back(ending("expires in", p.expires, s.now));
    out.push_back({"sha256 " + clipped(p.sha256, how_much == room_for::little ? 9 : 13)});
    if (p.approved_by.empty()) out.push_back({"not signed", tone::faint});
    else if (how_much == room_for::all) out.push_back({fmt::format("signed by {}", fmt::join(p.approved_by, " "))});
    else out.push_back({fmt::format("signed by {}", p.approved_by.size())});
    return out;
}

pieces traffic(const picture& p, room_for how_much)
{
    const auto& s = *p.status.last;
    const auto denied = p.rate_of(&status_answer::denied);
    pieces out{{fmt::format("up {}/s", volume_rate_text(p.rate_of(&status_answer::upload)))},
               {fmt::format("down {}/s", volume_rate_text(p.rate_of(&status_answer::download)))},
               {fmt::format("tunnels {}", count_text(s.tunnels))},
               {fmt::format("denied {}/s", count_rate_text(denied)), denied.value_or(0) > 0 ? tone::warning : tone::plain},
               {fmt::format("findings {}", count_text(s.findings_total)), s.findings_total > 0 ? tone::warning : tone::plain}};
    if (how_much == room_for::all) out.push_back({fmt::format("allowed {}/s", count_rate_text(p.rate_of(&status_answer::allowed)))});
    return out;
}

// One sentence for each problem that needs attention.
std::vector<line> troubles(const status_answer& s, std::size_t columns, room_for how_much)
{
    std::vector<line> out;
    const auto tell = [&](const std::string& text, tone how) {
        const auto lines = wrapped("! " + text, how, columns, how_much == room_for::little ? 1 : 2);
        out.insert(out.end(), lines.begin(), lines.end());
    };
    constexpr std::size_t most = 4; // of each kind; the first are the most important
    for (std::size_t i = 0; i < std::min(most, s.reasons.size()); ++i) tell(s.reasons[i], tone::critical);
    for (std::size_t i = 0; i < std::min(most, s.warnings.size()); ++i) tell(s.warnings[i], tone::warning);
    return out;
}

// The length in octets of the words that fit on a line; the whole text when not even the first word fits.
std::size_t words_within(std::string_view text, std::size_t columns)
{
    if (width(text) <= columns) return text.size();
    std::size_t fits = 0;
    for (auto blank = text.find(' '); blank != text.npos && width(text.substr(0, blank)) <= columns; blank = text.find(' ', blank + 1))
        fits = blank;
    return fits == 0 ? text.size() : fits;
}

} // namespace

std::vector<line> flow(const std::vector<piece>& all, std::size_t columns)
{
    std::vector<line> out;
    std::size_t used = 0;
    for (const auto& p : all) {
        const auto wide = width(p.text);
        if (wide == 0) continue;
        if (out.empty() || used + 2 + wide > columns) {
            out.emplace_back();
            used = 0;
        } else {
            out.back().push_back({"  "});
            used += 2;
        }
        out.back().push_back({clipped(p.text, columns), p.how});
        used += wide;
    }
    return out;
}

std::vector<line> wrapped(std::string_view text, tone how, std::size_t columns, std::size_t most)
{
    std::vector<line> out;
    while (!text.empty() && out.size() < most) {
        const auto end = out.size() + 1 == most ? text.size() : words_within(text, columns);
        out.push_back({{clipped(std::string{text.substr(0, end)}, columns), how}});
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::vector<line> header(const picture& p, std::size_t columns, bool brief, std::vector<piece> also)
{
    if (!p.status.last) return {};
    const auto& s = *p.status.last;
    const auto how_much = brief ? room_for::little : columns < ample_columns ? room_for::most : room_for::all;
    auto first = who(s, p.host, how_much);
    first.insert(first.end(), also.begin(), also.end());
    auto out = flow(first, columns);
    for (const auto& more : {flow(enforced(s, how_much), columns), flow(traffic(p, how_much), columns), troubles(s, columns, how_much)})
        out.insert(out.end(), more.begin(), more.end());
    return out;
}

} // namespace exeat::cli::live
