#include <cli/live/outlook.hpp>

#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>
#include <ops/policy/allowlist_entries.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace exeat::cli::live {

namespace {

using std::chrono::seconds;

constexpr std::array intervals{seconds{1}, seconds{2}, seconds{5}, seconds{10}, seconds{20}, seconds{30}, seconds{60}};
static_assert(intervals.front() == limits::top_interval_least && intervals.back() == limits::top_interval_most);

wish type(outlook& o, key k)
{
    if (k.kind == key_kind::enter || k.kind == key_kind::escape) {
        o.typing = false;
        if (k.kind == key_kind::escape) o.filter.clear();
        return wish::look; // exeat applies the tunnels' filter, so it must be asked again
    }
    if (k.kind == key_kind::backspace && !o.filter.empty()) o.filter.pop_back();
    const bool plain = k.kind == key_kind::character && k.character >= ' ' && k.character <= '~';
    if (plain && o.filter.size() < limits::top_filter) o.filter += k.character;
    o.first = 0;
    o.page = 1;
    return wish::draw;
}

wish show(outlook& o, view v)
{
    o.what = v;
    o.first = 0;
    return v == view::tunnels ? wish::look : wish::draw;
}

// Sorts by the next column, or by the one before.
wish turn(outlook& o, bool next)
{
    const auto all = columns_of(o.what);
    if (all.empty()) return wish::draw;
    const auto c = (o.order_of(o.what).column + (next ? 1 : all.size() - 1)) % all.size();
    o.order_of(o.what) = {c, all[c].most_first};
    o.first = 0;
    return o.what == view::tunnels ? wish::look : wish::draw;
}

wish turn_page(outlook& o, bool next, const room& r)
{
    const auto page = next ? std::min(o.page + 1, std::max<std::uint64_t>(r.pages, 1)) : std::max<std::uint64_t>(o.page - 1, 1);
    if (page == o.page) return wish::draw;
    o.page = page;
    o.first = next ? 0 : r.rows;
    return wish::look;
}

wish scroll(outlook& o, key_kind where, const room& r)
{
    const auto last = r.rows > r.shown ? r.rows - r.shown : 0;
    const bool down = where == key_kind::down || where == key_kind::page_down;
    const bool at_end = down ? o.first >= last : o.first == 0;
    if (o.what == view::tunnels && at_end && where != key_kind::home && where != key_kind::end) return turn_page(o, down, r);
    const auto step = where == key_kind::page_up || where == key_kind::page_down ? std::max<std::size_t>(r.shown, 1) : 1;
    if (where == key_kind::home) o.first = 0;
    else if (where == key_kind::end) o.first = last;
    else if (down) o.first = std::min(o.first + step, last);
    else o.first -= std::min(o.first, step);
    return wish::draw;
}

wish change_interval(outlook& o, bool longer)
{
    const auto* at = longer ? std::upper_bound(intervals.begin(), intervals.end(), o.interval)
                            : std::lower_bound(intervals.begin(), intervals.end(), o.interval);
    if (longer && at != intervals.end()) o.interval = *at;
    if (!longer && at != intervals.begin()) o.interval = *(at - 1);
    return wish::draw;
}

wish press_character(outlook& o, char c)
{
    if (c >= '0' && c < static_cast<char>('0' + view_words.size())) return show(o, static_cast<view>(c - '0'));
    switch (c) {
    case 'q': return wish::leave;
    case '?':
    case 'h': o.helping = true; break;
    case 's':
    case '>': return turn(o, true);
    case '<': return turn(o, false);
    case 'r': o.order_of(o.what).most_first = !o.order_of(o.what).most_first; break;
    case 'p':
    case ' ': o.paused = !o.paused; return o.paused ? wish::draw : wish::look;
    case '+': return change_interval(o, true);
    case '-': return change_interval(o, false);
    case '/': o.typing = true; break;
    default: break;
    }
    return wish::draw;
}

// The client that "10.42.0.7", "training/10.42.0.7" or "training/fd00:42::/64" names; empty for any other text.
std::optional<std::string> client_in(std::string_view text)
{
    auto known = ip_prefix::parse(text);
    const auto slash = text.find('/');
    if (!known && slash != text.npos) known = ip_prefix::parse(text.substr(slash + 1));
    constexpr std::uint8_t whole = 128;
    if (!known) return std::nullopt;
    return known->bits == whole ? known->network.to_string() : known->to_string();
}

std::string_view order_of_tunnels(std::string_view column)
{
    if (column == "downloaded" || column == "down/s") return "download";
    if (column == "age" || column == "client" || column == "entry") return column;
    return "upload";
}

} // namespace

outlook::outlook()
{
    for (std::size_t v = 0; v < orders.size(); ++v) orders[v] = usual_ordering(static_cast<view>(v));
}

wish press(outlook& o, key k, const room& r)
{
    if (k.kind == key_kind::redraw) return wish::repaint;
    if (o.typing) return type(o, k);
    if (std::exchange(o.helping, false)) return k.kind == key_kind::character && k.character == 'q' ? wish::leave : wish::draw;
    switch (k.kind) {
    case key_kind::character: return press_character(o, k.character);
    case key_kind::left: return turn(o, false);
    case key_kind::right: return turn(o, true);
    case key_kind::escape:
        if (o.filter.empty()) return wish::draw;
        o.filter.clear();
        o.page = 1;
        return wish::look;
    case key_kind::enter:
    case key_kind::backspace: return wish::draw;
    default: return scroll(o, k.kind, r);
    }
}

std::string tunnels_filter(const outlook& o)
{
    const auto client = client_in(o.filter);
    return client && !o.typing ? *client : o.filter;
}

std::string tunnels_path(const outlook& o, const picture& p)
{
    const auto all = columns_of(view::tunnels);
    auto out = fmt::format("/api/tunnels?sort={}&page={}&size={}", order_of_tunnels(all[o.order_of(view::tunnels).column].name), o.page,
                           limits::top_tunnels);
    if (o.typing || o.filter.empty()) return out;
    if (const auto client = client_in(o.filter)) return out + "&client=" + *client;
    const auto named = [&](const shown_entry& e) { return e.entry == o.filter; };
    // The name of an entry needs no escape in a URL.
    const bool entry =
        ops::label_like(o.filter) && p.status.last && std::any_of(p.status.last->entries.begin(), p.status.last->entries.end(), named);
    return entry ? out + "&entry=" + o.filter : out;
}

} // namespace exeat::cli::live
