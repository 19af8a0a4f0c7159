// What the user wants to see, and how keys change it. Pure; one thread.
#pragma once

#include <cli/live/views.hpp>
#include <exeat/enum_array.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace exeat::cli::live {

struct outlook {
    outlook();

    view what = view::overview;
    enum_array<view, ordering, view_words.size()> orders;
    std::string filter;
    std::size_t first = 0;  // row at the top
    std::uint64_t page = 1; // of tunnels
    std::chrono::seconds interval{2};
    bool paused = false, typing = false, helping = false; // typing: the filter

    ordering& order_of(view v) { return orders[v]; }
    const ordering& order_of(view v) const { return orders[v]; }
};

enum class key_kind : std::uint8_t { character, up, down, left, right, page_up, page_down, home, end, enter, escape, backspace, redraw };

struct key {
    key_kind kind = key_kind::character;
    char character = 0;
};

// How many rows a view has and can show at once, as last drawn.
struct room {
    std::size_t rows = 0, shown = 0;
    std::uint64_t pages = 1;
};

enum class wish : std::uint8_t {
    draw,
    look,    // query exeat now
    repaint, // overwrite whatever is on the terminal
    leave,
};

wish press(outlook&, key, const room&);

// The path to query: "/api/tunnels?sort=age&page=1&size=100", with the client or the entry that the filter names.
std::string tunnels_path(const outlook&, const picture&);
std::string tunnels_filter(const outlook&); // for the rows of the answer, in which a client is only its address

} // namespace exeat::cli::live
