#include <ops/admin/admin_places.hpp>

#include <doctest/doctest.h>
#include <memory>
#include <vector>

using namespace exeat;
using namespace exeat::ops;

namespace {

struct held_places {
    explicit held_places(std::size_t most) : places{most} {}
    bool take(std::uint32_t peer, bool served = false)
    {
        const auto who = ip_address::v4(peer);
        if (!places.make_room(who)) return false;
        const auto n = closed.size();
        closed.push_back(false);
        held.push_back(std::make_unique<admin_places::place>(places, who, [this, n] { closed[n] = true; }));
        if (served) held.back()->is_served();
        return true;
    }
    std::vector<std::size_t> let_go() const
    {
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < closed.size(); ++i)
            if (closed[i]) out.push_back(i);
        return out;
    }
    admin_places places;
    std::vector<bool> closed;
    std::vector<std::unique_ptr<admin_places::place>> held;
};

} // namespace

TEST_CASE("one peer has half of the places, and beyond that its own connections make room")
{
    held_places h{8};
    for (int i = 0; i < 4; ++i) CHECK(h.take(1));
    CHECK(h.let_go().empty());
    h.held[0]->waits(); // it has had its answer: now it has waited for the shortest time
    CHECK(h.take(1));
    CHECK(h.let_go() == std::vector<std::size_t>{1});
    for (int i = 0; i < 4; ++i) CHECK(h.take(2 + static_cast<std::uint32_t>(i)));
    CHECK(h.take(9)); // all are taken: the peer with the most of them
    CHECK(h.let_go() == std::vector<std::size_t>{1, 2});
}

TEST_CASE("who is being answered keeps his place, and a peer that holds none finds one as long as anybody waits")
{
    held_places h{4};
    CHECK(h.take(1, true));
    CHECK(h.take(1, true));
    CHECK_FALSE(h.take(1, true));
    CHECK(h.take(2));
    CHECK(h.take(3));
    CHECK(h.take(4)); // of those that hold one, the one that has waited longest
    CHECK(h.let_go() == std::vector<std::size_t>{2});
    CHECK_FALSE(h.take(1));
    h.held[3]->is_served();
    h.held[4]->is_served();
    CHECK_FALSE(h.take(5));
    h.held[0].reset();
    CHECK(h.take(5));
}
