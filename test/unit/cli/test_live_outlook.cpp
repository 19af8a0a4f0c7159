// What keys do, and what is asked of exeat after them.
#include "small_status.hpp"

#include <exeat/limits.hpp>

using namespace exeat;
using namespace exeat::testing;
using namespace std::chrono_literals;

namespace {

key letter(char c) { return {key_kind::character, c}; }

wish type(outlook& o, std::string_view text, const room& r = {})
{
    auto last = wish::draw;
    for (const char c : text) last = press(o, letter(c), r);
    return last;
}

} // namespace

TEST_CASE("digits change the view, and tunnels are asked for at once")
{
    outlook o;
    CHECK(type(o, "1") == wish::draw);
    CHECK(o.what == view::clients);
    CHECK(type(o, "3") == wish::look);
    CHECK(o.what == view::tunnels);
    CHECK(type(o, "789x") == wish::draw);
    CHECK(o.what == view::tunnels);
    type(o, "0");
    CHECK(o.what == view::overview);
    CHECK(type(o, "s<>r") == wish::draw); // nothing to sort
    CHECK(type(o, "q") == wish::leave);
}

TEST_CASE("the order goes through all columns and comes back, each as one begins with it")
{
    outlook o;
    type(o, "1");
    const auto usual = o.order_of(view::clients);
    const auto columns = columns_of(view::clients);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        press(o, {key_kind::right}, {});
        CHECK(o.order_of(view::clients).most_first == columns[o.order_of(view::clients).column].most_first);
    }
    CHECK(o.order_of(view::clients) == usual);
    press(o, {key_kind::left}, {});
    type(o, ">");
    CHECK(o.order_of(view::clients) == usual);
    type(o, "r");
    CHECK(o.order_of(view::clients) == ordering{usual.column, !usual.most_first});
    CHECK(o.order_of(view::entries) == usual_ordering(view::entries)); // another view has its own
}

TEST_CASE("one scrolls to the last row and not beyond")
{
    outlook o;
    type(o, "1");
    const room r{50, 20, 1};
    press(o, {key_kind::up}, r);
    CHECK(o.first == 0);
    press(o, {key_kind::down}, r);
    CHECK(o.first == 1);
    press(o, {key_kind::page_down}, r);
    CHECK(o.first == 21);
    press(o, {key_kind::page_down}, r);
    press(o, {key_kind::page_down}, r);
    CHECK(o.first == 30);
    press(o, {key_kind::page_up}, r);
    CHECK(o.first == 10);
    press(o, {key_kind::home}, r);
    CHECK(o.first == 0);
    press(o, {key_kind::end}, r);
    CHECK(o.first == 30);
    press(o, {key_kind::page_down}, {5, 20, 1});
    CHECK(o.first == 0);
    o.first = 1'000;
    CHECK(draw(small_picture(), o, {24, 80}, at(103)).first == 0);
}

TEST_CASE("beyond the last row of tunnels is the next page, as long as there is one")
{
    outlook o;
    type(o, "3");
    const room r{100, 20, 3};
    press(o, {key_kind::end}, r);
    CHECK(o.page == 1);
    CHECK(press(o, {key_kind::page_down}, r) == wish::look);
    CHECK(o.page == 2);
    CHECK(o.first == 0);
    CHECK(press(o, {key_kind::page_up}, r) == wish::look);
    CHECK(o.page == 1);
    CHECK(o.first == 100); // the end of it, once it is drawn
    o.page = 3, o.first = 80;
    CHECK(press(o, {key_kind::down}, r) == wish::draw);
    CHECK(o.page == 3);
    o.page = 1, o.first = 0;
    CHECK(press(o, {key_kind::up}, r) == wish::draw);
    CHECK(o.page == 1);
}

TEST_CASE("a filter is typed, fixed, kept or given up, and is of 64 characters at most")
{
    outlook o;
    CHECK(type(o, "/10.4x") == wish::draw);
    CHECK(o.typing);
    press(o, {key_kind::backspace}, {});
    CHECK(o.filter == "10.4");
    CHECK(type(o, "q1") == wish::draw); // text, no commands
    CHECK(o.what == view::overview);
    CHECK(press(o, {key_kind::enter}, {}) == wish::look);
    CHECK_FALSE(o.typing);
    CHECK(o.filter == "10.4q1");
    CHECK(press(o, {key_kind::escape}, {}) == wish::look);
    CHECK(o.filter.empty());
    CHECK(press(o, {key_kind::escape}, {}) == wish::draw);
    type(o, "/" + std::string(limits::top_filter, 'a'));
    CHECK(o.filter.size() == limits::top_filter);
    type(o, "b");
    CHECK(o.filter == std::string(limits::top_filter, 'a'));
    press(o, {key_kind::character, '\x1b'}, {});
    CHECK(o.filter.size() == limits::top_filter);
    press(o, {key_kind::escape}, {});
    CHECK(o.filter.empty());
    CHECK_FALSE(o.typing);
}

TEST_CASE("pause, pace and help")
{
    outlook o;
    CHECK(type(o, "p") == wish::draw);
    CHECK(o.paused);
    CHECK(type(o, "p") == wish::look);
    CHECK_FALSE(o.paused);
    type(o, "+");
    CHECK(o.interval == 5s);
    type(o, "++++++");
    CHECK(o.interval == limits::top_interval_most);
    type(o, "-");
    CHECK(o.interval == 30s);
    type(o, "-------");
    CHECK(o.interval == limits::top_interval_least);
    o.interval = 7s; // as --interval may have it
    type(o, "+");
    CHECK(o.interval == 10s);
    o.interval = 7s;
    type(o, "-");
    CHECK(o.interval == 5s);
    type(o, "?");
    CHECK(has(drawn(small_picture(), o), "Esc: without it"));
    CHECK(type(o, "1") == wish::draw); // any key ends it and does nothing else
    CHECK(o.what == view::overview);
    CHECK_FALSE(o.helping);
    type(o, "h");
    CHECK(type(o, "q") == wish::leave);
    CHECK(press(o, {key_kind::redraw}, {}) == wish::repaint);
}

TEST_CASE("exeat is asked for the tunnels in their order, of the client or the entry that the filter names")
{
    const auto p = small_picture();
    outlook o;
    CHECK(tunnels_path(o, p) == "/api/tunnels?sort=upload&page=1&size=100");
    o.page = 3;
    for (const auto& [column, sort] : {std::pair{"up/s", "upload"},
                                       {"down/s", "download"},
                                       {"downloaded", "download"},
                                       {"age", "age"},
                                       {"client", "client"},
                                       {"entry", "entry"},
                                       {"host", "upload"}}) {
        o.order_of(view::tunnels) = *ordering_by(view::tunnels, column);
        CHECK(tunnels_path(o, p) == "/api/tunnels?sort=" + std::string{sort} + "&page=3&size=100");
    }
    o = {};
    const auto of = [&](std::string_view filter) {
        o.filter = filter;
        const auto path = tunnels_path(o, p);
        return path.substr(path.find("100") + 3);
    };
    CHECK(of("10.42.0.7") == "&client=10.42.0.7");
    CHECK(of("training/10.42.0.7") == "&client=10.42.0.7");
    CHECK(of("FD00::7") == "&client=fd00::7");
    CHECK(of("2001:db8:1::/64") == "&client=2001:db8:1::/64");
    CHECK(of("training/2001:db8:1::/64") == "&client=2001:db8:1::/64");
    CHECK(of("2001:db8:1::1/64") == "");
    CHECK(of("judge-models") == "&entry=judge-models");
    CHECK(of("judge") == "");
    CHECK(of("10.42.0") == "");
    CHECK(of("x&client=1") == "");
    o.filter = "training/10.42.0.7";
    CHECK(tunnels_filter(o) == "10.42.0.7");
    o.typing = true;
    CHECK(of("10.42.0.7") == "");
}
