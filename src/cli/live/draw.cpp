#include <cli/live/draw.hpp>

#include <cli/live/header.hpp>
#include <cli/live/overview.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>

namespace exeat::cli::live {

namespace {

constexpr std::size_t brief_rows = 20, brief_columns = 60;            // on a smaller screen, the header is brief
constexpr auto endless = std::numeric_limits<std::size_t>::max() / 2; // the width of plain text
using lines = std::vector<line>;

constexpr std::array<std::string_view, 11> help_text{
    "0 to 6    a view",
    "s < >     sort by another column",
    "r         the other way round",
    "/         filter; Esc: without it",
    "          (tunnels: a client's address",
    "          or an entry asks for all its)",
    "arrows PgUp PgDn Home End   scroll",
    "p         pause, and go on",
    "+ -       ask less often, more often",
    "Ctrl-L    paint it all again",
    "q         quit",
};

void add(lines& to, lines more) { std::move(more.begin(), more.end(), std::back_inserter(to)); }

lines banner(const picture& p, const outlook& o, std::size_t columns, moment now)
{
    if (p.trouble.empty()) return {};
    const auto age = std::chrono::floor<std::chrono::seconds>(now - p.status.at);
    return wrapped(fmt::format("!! NO ANSWER for {}, and what is shown is as old: {}; {}", span_text(age), p.trouble,
                               o.paused ? "paused" : fmt::format("trying again every {}", span_text(o.interval))),
                   tone::critical, columns, 3);
}

std::vector<piece> pause(const picture& p, const outlook& o, moment now)
{
    if (!o.paused) return {};
    return {{fmt::format("PAUSED {} ago", span_text(std::chrono::floor<std::chrono::seconds>(now - p.status.at))), tone::warning}};
}

// The views with the keys that show them; only the current one with its name when there is not enough room.
line tabs(view shown, std::size_t columns)
{
    for (const bool words : {true, false}) {
        line out;
        for (std::size_t v = 0; v < view_words.size(); ++v) {
            const bool current = static_cast<view>(v) == shown;
            const auto text = words || current ? fmt::format("{} {}", v, view_words[v]) : fmt::format("{}", v);
            out.push_back({current ? "[" + text + "]" : " " + text + " ", current ? tone::title : tone::faint});
        }
        if (width(out) <= columns) return out;
    }
    return {{clipped(fmt::format("[{}]", to_string(shown)), columns), tone::title}};
}

std::string rows_text(const picture& p, const outlook& o, const drawing& d)
{
    const bool tunnels = o.what == view::tunnels && p.tunnels.last;
    const auto before = tunnels ? (std::max<std::uint64_t>(p.tunnels.last->page, 1) - 1) * limits::top_tunnels : 0;
    const auto last = std::min(d.first + d.space.shown, d.space.rows);
    auto out =
        d.space.rows == 0 ? std::string{"nothing"} : fmt::format("{}-{}", count_text(before + d.first + 1), count_text(before + last));
    if (tunnels) return fmt::format("{} of {}, {} in all", out, count_text(p.tunnels.last->matching), count_text(p.tunnels.last->total));
    out = fmt::format("{} of {}", out, count_text(d.space.rows));
    return o.what == view::clients ? fmt::format("{}, {} known", out, count_text(p.status.last->clients_known)) : out;
}

line footer(const picture& p, const outlook& o, const drawing& d, std::size_t columns)
{
    const auto keys = fmt::format("every {}  ? help  q quit", span_text(o.interval));
    if (o.typing) return {{clipped(fmt::format("filter: {}_", o.filter), columns), tone::title}};
    std::string left;
    if (o.what != view::overview) {
        const auto& by = o.order_of(o.what);
        left = fmt::format("{}  by {}{}", rows_text(p, o, d), columns_of(o.what)[by.column].name, by.most_first ? "" : ", least first");
    }
    if (!o.filter.empty()) left += fmt::format("{}filter '{}'", left.empty() ? "" : "  ", o.filter);
    if (width(left) + 2 + keys.size() > columns) return {{clipped(left.empty() ? keys : left, columns), tone::faint}};
    return {{padded(left, columns - keys.size(), false)}, {keys, tone::faint}};
}

// Lines above a table, or in place of it.
lines remarks(const picture& p, view v, std::size_t columns)
{
    if (v != view::tunnels) return {};
    if (!p.tunnels_trouble.empty()) return wrapped("! " + p.tunnels_trouble, tone::critical, columns, 3);
    if (!p.tunnels.last) return {{{clipped("asking for the tunnels", columns), tone::faint}}};
    if (p.tunnels.last->complete) return {};
    return wrapped("! a worker did not answer in time: its tunnels are missing", tone::warning, columns, 2);
}

void draw_table(drawing& d, const picture& p, const outlook& o, std::size_t columns, std::size_t rows)
{
    auto above = remarks(p, o.what, columns);
    const auto t = prepared(o.what, p, o);
    d.space = {t.rows.size(), rows > above.size() + 1 ? rows - above.size() - 1 : 0,
               o.what == view::tunnels && p.tunnels.last ? p.tunnels.last->pages : 1};
    d.first = std::min(o.first, d.space.rows - std::min(d.space.shown, d.space.rows));
    add(d.lines, std::move(above));
    add(d.lines, to_lines(t, o.order_of(o.what), columns, d.first, d.space.shown));
    if (t.rows.empty() && (o.what != view::tunnels || p.tunnels.last))
        d.lines.push_back({{clipped(std::string{nothing_of(o.what)}, columns), tone::faint}});
}

void draw_help(drawing& d, std::size_t columns)
{
    for (const auto text : help_text) d.lines.push_back({{clipped(std::string{text}, columns)}});
}

std::string title(view v, const picture& p)
{
    if (v == view::clients) return fmt::format("clients, {} known", count_text(p.status.last->clients_known));
    if (v == view::findings) return fmt::format("findings, {} in all", count_text(p.status.last->findings_total));
    if (v == view::tunnels && p.tunnels.last) return fmt::format("tunnels, {} in all", count_text(p.tunnels.last->total));
    return std::string{to_string(v)};
}

} // namespace

drawing draw(const picture& p, const outlook& o, extent size, moment now)
{
    drawing out;
    if (size.rows == 0) return out;
    const bool brief = size.rows < brief_rows || size.columns < brief_columns;
    out.lines = banner(p, o, size.columns, now);
    if (!o.helping) add(out.lines, header(p, size.columns, brief, pause(p, o, now)));
    out.lines.push_back(tabs(o.what, size.columns));
    const auto left = size.rows > out.lines.size() + 1 ? size.rows - out.lines.size() - 1 : 0;
    if (o.helping) draw_help(out, size.columns);
    else if (o.what == view::overview) add(out.lines, overview(p, o, {left, size.columns}));
    else draw_table(out, p, o, size.columns, left);
    out.lines.resize(size.rows - 1);
    out.lines.push_back(footer(p, o, out, size.columns));
    return out;
}

std::string plain_text(const picture& p, const outlook& o, std::span<const view> views)
{
    auto all = header(p, endless, false);
    for (const auto v : views) {
        all.emplace_back();
        all.push_back({{title(v, p)}});
        auto more = remarks(p, v, endless);
        const auto t = prepared(v, p, o);
        if (!t.rows.empty()) add(more, to_lines(t, o.order_of(v), endless, 0, t.rows.size()));
        else if (more.empty()) more.push_back({{std::string{nothing_of(v)}}});
        add(all, std::move(more));
    }
    std::string out;
    for (const auto& l : all) out += to_text(l) + "\n";
    return out;
}

} // namespace exeat::cli::live
