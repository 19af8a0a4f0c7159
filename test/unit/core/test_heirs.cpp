#include <doctest/doctest.h>
#include <exeat/budget/heirs.hpp>
#include <exeat/budget/throttle.hpp>
#include <exeat/limits.hpp>

#include <vector>

using namespace exeat;
using namespace std::chrono_literals;
using ids = std::vector<int>;

TEST_CASE("heirs are found through others, each once, and only under lists that came later")
{
    recent_heirs<int> r;
    r.add(2, {{1, 10}, {1, 11}, {2, 20}});
    r.add(3, {{10, 1}, {10, 30}, {11, 30}});
    CHECK(r.since(1, 1) == ids{10, 11, 30});
    CHECK(r.since(2, 1) == ids{});
    CHECK(r.since(2, 10) == ids{1, 30});
    CHECK(r.since(1, 2) == ids{20});
    CHECK(r.since(3, 10) == ids{});
    r.add(3, {{10, 40}}); // said again
    CHECK(r.since(1, 1) == ids{10, 11, 40});
}

TEST_CASE("within one list nobody inherits what another has just inherited")
{
    recent_heirs<int> r;
    r.add(2, {{1, 2}, {2, 3}});
    CHECK(r.since(1, 1) == ids{2});
}

TEST_CASE("the heirs of so many lists are known")
{
    recent_heirs<int> r;
    const int lists = recent_heirs<int>::lists;
    for (int n = 0; n <= lists; ++n) r.add(static_cast<std::uint64_t>(n + 1), {{n, n + 1}});
    CHECK(r.since(0, 0).empty());
    CHECK(r.since(0, 1).size() == static_cast<std::size_t>(lists));
}

TEST_CASE("who is throttled at an entry is throttled at its heirs by the same throttle, or by a slower one that is there")
{
    const auto pod = ip_address::v4(1);
    const upload_rate slow{1'000, 1s}, fast{9'000, 1s};
    throttled_clients all;
    hold(all, pod, 1, slow, 0s);
    hold(all, pod, 2, fast, 0s);
    hold(all, pod, 3, fast, 0s);
    hold(all, pod, 0, slow, 0s);
    CHECK(pass_on(all, {{1, 2}, {1, 4}, {2, 1}}));
    const auto at = [&](std::uint64_t entry) -> const throttle* {
        for (const auto& t : all)
            if (t.entry == entry) return t.to.get();
        return nullptr;
    };
    CHECK(at(1)->rate() == slow);
    CHECK(at(2) == at(1));
    CHECK(at(4) == at(1));
    CHECK(at(3)->rate() == fast);
    CHECK(all.size() == 5);
    CHECK_FALSE(pass_on(all, {{7, 8}, {0, 8}}));
}
