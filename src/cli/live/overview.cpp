#include <cli/live/overview.hpp>

#include <cli/live/printable.hpp>

#include <algorithm>
#include <numeric>
#include <span>

namespace exeat::cli::live {

namespace {

using lines = std::vector<line>;

constexpr std::size_t two_columns = 150; // from this width on, tables are side by side

// Distributes `available` lines among tables that want `wanted` lines: first up to three for each, in order, then one by one.
std::vector<std::size_t> shared_out(const std::vector<std::size_t>& wanted, std::size_t available)
{
    std::vector<std::size_t> out(wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto begins = std::min<std::size_t>(wanted[i], 3);
        if (begins > available) break;
        out[i] = begins;
        available -= begins;
    }
    for (bool more = true; more && available > 0;) {
        more = false;
        for (std::size_t i = 0; i < wanted.size() && available > 0; ++i)
            if (out[i] > 0 && out[i] < wanted[i]) ++out[i], --available, more = true;
    }
    return out;
}

lines stacked(const picture& p, const outlook& o, std::span<const view> views, extent size)
{
    std::vector<table> all;
    std::vector<std::size_t> wanted;
    for (const auto v : views) {
        all.push_back(prepared(v, p, o));
        wanted.push_back(all.back().rows.empty() ? 1 : all.back().rows.size() + 1);
    }
    const auto given = shared_out(wanted, size.rows);
    lines out;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (given[i] == 0) continue;
        if (all[i].rows.empty()) {
            out.push_back({{clipped(std::string{nothing_of(views[i])}, size.columns), tone::faint}});
            continue;
        }
        auto more = to_lines(all[i], o.order_of(views[i]), size.columns, 0, given[i] - 1);
        std::move(more.begin(), more.end(), std::back_inserter(out));
    }
    return out;
}

lines side_by_side(lines left, lines right, std::size_t right_begins)
{
    left.resize(std::max(left.size(), right.size()));
    for (std::size_t i = 0; i < right.size(); ++i) {
        left[i].push_back({std::string(right_begins - width(left[i]), ' ')});
        std::move(right[i].begin(), right[i].end(), std::back_inserter(left[i]));
    }
    return left;
}

} // namespace

table prepared(view v, const picture& p, const outlook& o)
{
    auto t = table_of(v, p);
    sort(t, o.order_of(v));
    filter(t, v == view::tunnels ? tunnels_filter(o) : o.filter);
    return t;
}

std::vector<line> overview(const picture& p, const outlook& o, extent size)
{
    const auto all = std::span{tables}.first(tables.size() - 1); // without tunnels, which are too many for an overview
    if (size.columns < two_columns) return stacked(p, o, all, size);
    constexpr std::array left{view::clients, view::entries};
    constexpr std::array right{view::findings, view::budgets, view::denied};
    const auto half = (size.columns - 3) / 2;
    return side_by_side(stacked(p, o, left, {size.rows, half}), stacked(p, o, right, {size.rows, half}), half + 3);
}

} // namespace exeat::cli::live
