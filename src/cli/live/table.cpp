#include <cli/live/table.hpp>

#include <cli/live/printable.hpp>
#include <exeat/request_head.hpp> // equals_ignoring_case

#include <algorithm>
#include <numeric>

namespace exeat::cli::live {

namespace {

constexpr std::size_t gap = 2;

// The width of each column; 0: the column is left out.
using widths = std::vector<std::size_t>;

widths natural(const table& t)
{
    widths out;
    for (std::size_t c = 0; c < t.columns.size(); ++c) {
        auto wide = t.columns[c].heading.size() + 1; // space for the mark of the sort order
        for (const auto& r : t.rows) wide = std::max(wide, width(r.cells[c].text));
        out.push_back(wide);
    }
    return out;
}

// Cuts texts to `most` columns, but not below their minimum.
widths shrunk(const table& t, widths all, std::size_t most)
{
    for (std::size_t c = 0; c < all.size(); ++c) {
        const auto least = std::max<std::size_t>(t.columns[c].least, t.columns[c].heading.size() + 1);
        if (t.columns[c].least > 0) all[c] = std::min(all[c], std::max(most, least));
    }
    return all;
}

std::size_t together(const widths& all)
{
    const auto shown = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](auto w) { return w > 0; }));
    return std::accumulate(all.begin(), all.end(), shown > 0 ? gap * (shown - 1) : 0);
}

// Leaves out the columns with the highest ranks until the others fit, but none with a rank below `keep`.
void leave_out(widths& shown, const table& t, std::size_t columns, std::uint8_t keep)
{
    while (together(shown) > columns) {
        std::size_t goes = 0;
        for (std::size_t c = 1; c < shown.size(); ++c)
            if (shown[c] > 0 && t.columns[c].rank > t.columns[goes].rank) goes = c;
        if (t.columns[goes].rank < keep) break;
        shown[goes] = 0;
    }
}

widths fitted(const table& t, std::size_t columns)
{
    constexpr std::size_t legible = 22; // texts keep this width before columns of rank nice_to_have or higher are shown
    constexpr std::uint8_t nice_to_have = 3;
    const auto wanted = natural(t);
    auto out = shrunk(t, wanted, legible);
    leave_out(out, t, columns, nice_to_have);
    if (together(out) > columns) out = shrunk(t, out, 0);
    leave_out(out, t, columns, 1);
    for (std::size_t c = 0; c < out.size(); ++c) { // the remaining width is given to texts that were cut
        const auto used = together(out);
        if (out[c] > 0 && used < columns) out[c] += std::min(wanted[c] - out[c], columns - used);
    }
    return out;
}

// Cuts the pieces to the width.
line cut(line all, std::size_t columns)
{
    line out;
    for (auto& p : all) {
        const auto wide = width(p.text);
        if (columns == 0) break;
        out.push_back({clipped(std::move(p.text), columns), p.how});
        columns -= std::min(columns, wide);
    }
    return out;
}

line headings(const table& t, const widths& shown, const ordering& by)
{
    line out;
    for (std::size_t c = 0; c < shown.size(); ++c) {
        if (shown[c] == 0) continue;
        if (!out.empty()) out.push_back({std::string(gap, ' '), tone::heading});
        const bool chosen = c == by.column;
        const auto text = std::string{t.columns[c].heading} + (chosen ? by.most_first ? "v" : "^" : "");
        out.push_back({padded(clipped(text, shown[c]), shown[c], t.columns[c].number), chosen ? tone::chosen : tone::heading});
    }
    return out;
}

line of_row(const table& t, const widths& shown, const row& r)
{
    std::string text;
    for (std::size_t c = 0; c < shown.size(); ++c) {
        if (shown[c] == 0) continue;
        if (!text.empty()) text.append(gap, ' ');
        text += padded(clipped(r.cells[c].text, shown[c]), shown[c], t.columns[c].number);
    }
    return {{std::move(text), r.how}};
}

bool contains(std::string_view text, std::string_view part) noexcept
{
    for (std::size_t at = 0; at + part.size() <= text.size(); ++at)
        if (equals_ignoring_case(text.substr(at, part.size()), part)) return true;
    return false;
}

} // namespace

void sort(table& t, const ordering& by)
{
    const bool number = t.columns[by.column].number;
    std::stable_sort(t.rows.begin(), t.rows.end(), [&](const row& a, const row& b) {
        const auto& [less, more] =
            by.most_first ? std::pair{&b.cells[by.column], &a.cells[by.column]} : std::pair{&a.cells[by.column], &b.cells[by.column]};
        return less->number != more->number ? less->number < more->number : !number && less->text < more->text;
    });
}

void filter(table& t, std::string_view text)
{
    std::erase_if(t.rows, [&](const row& r) {
        for (std::size_t c = 0; c < r.cells.size(); ++c)
            if (!t.columns[c].number && contains(r.cells[c].text, text)) return false;
        return true;
    });
}

std::vector<line> to_lines(const table& t, const ordering& by, std::size_t columns, std::size_t first, std::size_t most)
{
    const auto shown = fitted(t, columns);
    std::vector<line> out{cut(headings(t, shown, by), columns)};
    for (auto i = first; i < t.rows.size() && i - first < most; ++i) out.push_back(cut(of_row(t, shown, t.rows[i]), columns));
    return out;
}

std::size_t width(const line& l) noexcept
{
    return std::accumulate(l.begin(), l.end(), std::size_t{0}, [](std::size_t sum, const piece& p) { return sum + width(p.text); });
}

std::string to_text(const line& l)
{
    std::string out;
    for (const auto& p : l) out += p.text;
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
}

} // namespace exeat::cli::live
