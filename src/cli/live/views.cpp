#include <cli/live/views.hpp>

#include <exeat/enum_array.hpp>
#include <exeat/verdict.hpp>
#include <ops/text/utc.hpp>
#include <ops/text/volume_text.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::cli::live {

namespace {

using std::chrono::seconds;

constexpr std::array client_columns{
    column{"client", "CLIENT", false, false, 0, 14}, column{"up/s", "UP/S", true, true, 1},
    column{"uploaded", "UPLOADED", true, true, 3},   column{"score", "SCORE", true, true, 2},
    column{"denied", "DENIED", true, true, 4},       column{"down/s", "DOWN/S", true, true, 5},
    column{"tunnels", "TUNNELS", true, true, 6},     column{"downloaded", "DOWNLOADED", true, true, 7},
    column{"cut", "LAST CUT", true, false, 8},
};
constexpr std::array entry_columns{
    column{"entry", "ENTRY", false, false, 0, 14}, column{"up/s", "UP/S", true, true, 1},
    column{"uploaded", "UPLOADED", true, true, 2}, column{"down/s", "DOWN/S", true, true, 3},
    column{"purpose", "PURPOSE", false, false, 4}, column{"downloaded", "DOWNLOADED", true, true, 5},
};
constexpr std::array tunnel_columns{
    column{"client", "CLIENT", false, false, 0, 14}, column{"host", "HOST", false, false, 1, 12},
    column{"up/s", "UP/S", true, true, 2},           column{"uploaded", "UPLOADED", true, true, 3},
    column{"entry", "ENTRY", false, false, 5, 10},   column{"age", "AGE", true, true, 4},
    column{"down/s", "DOWN/S", true, true, 6},       column{"downloaded", "DOWNLOADED", true, true, 8},
    column{"marks", "MARKS", false, false, 7},       column{"mode", "MODE", false, false, 11},
    column{"purpose", "PURPOSE", false, false, 10},  column{"group", "GROUP", false, false, 9},
    column{"address", "ADDRESS", false, false, 12},  column{"id", "ID", false, false, 13},
};
constexpr std::array budget_columns{
    column{"share", "BUDGET", false, true, 0},     column{"client", "CLIENT", false, false, 1, 14},
    column{"entry", "ENTRY", false, false, 2, 12}, column{"used", "USED", true, true, 4},
    column{"limit", "LIMIT", true, true, 3},       column{"window", "WINDOW", false, false, 5},
};
constexpr std::array denial_columns{
    column{"reason", "DENIED", false, false, 0, 14},
    column{"denied/s", "PER S", true, true, 2},
    column{"total", "TOTAL", true, true, 1},
    column{"meaning", "BECAUSE", false, false, 3, 12},
};
constexpr std::array finding_columns{
    column{"detector", "FINDING", false, false, 0, 10},
    column{"severity", "SEVERITY", false, true, 2},
    column{"ago", "AGO", true, false, 3},
    column{"client", "CLIENT", false, false, 1, 14},
    column{"action", "ACTION", false, false, 5},
    column{"entry", "ENTRY", false, false, 4, 10},
    column{"value", "VALUE", true, true, 6},
    column{"threshold", "THRESHOLD", true, true, 7},
    column{"score", "SCORE", true, true, 8},
    column{"technique", "TECHNIQUE", false, false, 9},
    column{"at", "AT", false, true, 10},
};

cell of(rate r, std::string text) { return {std::move(text), r.value_or(-1)}; }
cell volume_rate(rate r) { return of(r, volume_rate_text(r)); }
cell volume(std::uint64_t n) { return {ops::volume_text(n), static_cast<double>(n)}; }
cell count(std::uint64_t n) { return {count_text(n), static_cast<double>(n)}; }
cell number(double n) { return {number_text(n), n}; }
cell word(const std::string& text) { return {text}; }
cell or_all(const std::string& text, std::string all) { return {text.empty() ? std::move(all) : text}; }

// The time since then, by exeat's own clock.
cell since(std::optional<wall_time> then, const status_answer& s)
{
    if (!then) return {"-", 1e18};
    const auto passed = std::max(s.now - *then, seconds{0});
    return {span_text(passed), static_cast<double>(passed.count())};
}

struct change {
    rate upload, download;
};

// `before`: the same row in the previous look; null: it was not there.
change change_of(const moved& now, const moved* before, std::chrono::duration<double> between)
{
    if (before == nullptr) return {};
    return {per_second(now.upload, before->upload, between), per_second(now.download, before->download, between)};
}

template <class Row, class Same> const Row* find(const std::vector<Row>& all, Same same)
{
    const auto found = std::find_if(all.begin(), all.end(), same);
    return found == all.end() ? nullptr : &*found;
}

template <class Row, class Same>
change change_of(const looks<status_answer>& looked, std::vector<Row> status_answer::*list, const Row& now, Same same)
{
    const auto* before = looked.before ? find((*looked.before).*list, same) : nullptr;
    return change_of(now.bytes, before == nullptr ? nullptr : &before->bytes, looked.between);
}

tone tone_of(const shown_client& c, const status_answer& s)
{
    const bool cut_lately = c.last_cut && s.now - *c.last_cut < limits::shut_out_time;
    return cut_lately ? tone::critical : c.score >= 1 ? tone::warning : tone::plain;
}

void fill_clients(table& t, const picture& p)
{
    for (const auto& c : p.status.last->clients) {
        const auto now = change_of(p.status, &status_answer::clients, c, [&](const auto& o) { return o.client == c.client; });
        t.rows.push_back({{word(c.client), volume_rate(now.upload), volume(c.bytes.upload), number(c.score), count(c.denied),
                           volume_rate(now.download), count(c.tunnels), volume(c.bytes.download), since(c.last_cut, *p.status.last)},
                          tone_of(c, *p.status.last)});
    }
}

void fill_entries(table& t, const picture& p)
{
    for (const auto& e : p.status.last->entries) {
        const auto now =
            change_of(p.status, &status_answer::entries, e, [&](const auto& o) { return o.entry == e.entry && o.purpose == e.purpose; });
        t.rows.push_back({{word(e.entry), volume_rate(now.upload), volume(e.bytes.upload), volume_rate(now.download), word(e.purpose),
                           volume(e.bytes.download)}});
    }
}

void fill_tunnels(table& t, const picture& p)
{
    for (const auto& u : p.tunnels.last->tunnels) {
        const auto* before = p.tunnels.before ? find(p.tunnels.before->tunnels, [&](const auto& o) { return o.id == u.id; }) : nullptr;
        const auto now = change_of(u.bytes, before == nullptr ? nullptr : &before->bytes, p.tunnels.between);
        const auto marks = std::string{u.ech ? "ech" : ""} + (u.ech && u.throttled ? " " : "") + (u.throttled ? "throttled" : "");
        t.rows.push_back({{word(u.client),
                           word(u.target),
                           volume_rate(now.upload),
                           volume(u.bytes.upload),
                           word(u.entry),
                           {span_text(u.age), static_cast<double>(u.age.count())},
                           volume_rate(now.download),
                           volume(u.bytes.download),
                           word(marks),
                           word(u.mode),
                           word(u.purpose),
                           word(u.group),
                           word(u.address),
                           word(u.id)},
                          marks.empty() ? tone::plain : tone::warning});
    }
}

// "[#######---]  73%"
std::string bar(double share)
{
    constexpr double steps = 10;
    const auto full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * steps);
    return fmt::format("[{}{}] {:>3}%", std::string(full, '#'), std::string(static_cast<std::size_t>(steps) - full, '-'),
                       static_cast<int>(std::clamp(share, 0.0, 9.99) * 100));
}

void fill_budgets(table& t, const picture& p)
{
    for (const auto& b : p.status.last->budgets)
        t.rows.push_back({{{bar(b.share), b.share},
                           or_all(b.client, "all clients"),
                           or_all(b.entry, "all " + b.purpose),
                           volume(b.used),
                           volume(b.limit),
                           word(b.window)},
                          b.share >= 1     ? tone::critical
                          : b.share >= 0.8 ? tone::warning
                                           : tone::plain});
}

void fill_denials(table& t, const picture& p)
{
    for (const auto& d : p.status.last->denials) {
        const auto* before =
            p.status.before ? find(p.status.before->denials, [&](const auto& o) { return o.reason == d.reason; }) : nullptr;
        // Only reasons above 0 are reported: one that is missing was at 0.
        const auto was = !p.status.before ? std::nullopt : std::optional{before == nullptr ? 0 : before->total};
        const auto now = per_second(d.total, was, p.status.between);
        const auto said = verdict_from(d.reason);
        t.rows.push_back({{word(d.reason), of(now, count_rate_text(now)), count(d.total), {said ? std::string{explanation(*said)} : ""}}});
    }
}

// Sorted by importance, not by the alphabet.
cell severity(const std::string& word) { return {word, word == "critical" ? 2.0 : word == "warning" ? 1.0 : 0.0}; }

void fill_findings(table& t, const picture& p)
{
    for (const auto& f : p.status.last->findings)
        t.rows.push_back({{word(f.detector),
                           severity(f.severity),
                           since(f.at, *p.status.last),
                           word(f.client),
                           word(f.action),
                           or_all(f.entry, "-"),
                           number(f.value),
                           number(f.threshold),
                           number(f.score),
                           word(f.technique),
                           {ops::utc(f.at)}},
                          f.severity == "critical"  ? tone::critical
                          : f.severity == "warning" ? tone::warning
                                                    : tone::plain});
}

} // namespace

std::string_view to_string(view v) noexcept { return view_words[v]; }

std::optional<view> view_from(std::string_view word) noexcept
{
    const auto found = std::find(view_words.begin(), view_words.end(), word);
    return found == view_words.end() ? std::nullopt : std::optional{static_cast<view>(found - view_words.begin())};
}

std::string_view nothing_of(view v) noexcept
{
    constexpr enum_array<view, std::string_view, view_words.size()> words{"nothing",    "no clients",     "no entries", "no tunnels",
                                                                          "no budgets", "nothing denied", "no findings"};
    return words[v];
}

std::span<const column> columns_of(view v) noexcept
{
    switch (v) {
    case view::overview: return {};
    case view::clients: return client_columns;
    case view::entries: return entry_columns;
    case view::tunnels: return tunnel_columns;
    case view::budgets: return budget_columns;
    case view::denied: return denial_columns;
    case view::findings: return finding_columns;
    }
    return {};
}

std::optional<ordering> ordering_by(view v, std::string_view name) noexcept
{
    const auto all = columns_of(v);
    for (std::size_t c = 0; c < all.size(); ++c)
        if (all[c].name == name) return ordering{c, all[c].most_first};
    return std::nullopt;
}

ordering usual_ordering(view v) noexcept
{
    constexpr enum_array<view, std::string_view, view_words.size()> usual{"", "up/s", "up/s", "uploaded", "share", "denied/s", "ago"};
    return ordering_by(v, usual[v]).value_or(ordering{});
}

table table_of(view v, const picture& p)
{
    table t{columns_of(v), {}};
    if (v == view::tunnels ? !p.tunnels.last : !p.status.last) return t;
    switch (v) {
    case view::overview: break;
    case view::clients: fill_clients(t, p); break;
    case view::entries: fill_entries(t, p); break;
    case view::tunnels: fill_tunnels(t, p); break;
    case view::budgets: fill_budgets(t, p); break;
    case view::denied: fill_denials(t, p); break;
    case view::findings: fill_findings(t, p); break;
    }
    return t;
}

} // namespace exeat::cli::live
