#include <exeat/bounded_table.hpp>
#include <exeat/detect/keys.hpp>

#include <algorithm>
#include <doctest/doctest.h>
#include <map>
#include <random>
#include <vector>

using namespace exeat;
using namespace exeat::detect;

namespace {

using table = bounded_table<client_key, int, client_key_hash>;

client_key key(std::uint64_t n) { return {exeat::ip_address::v4(static_cast<std::uint32_t>(n)), n}; }

std::vector<std::uint64_t> known(const table& t, std::uint64_t below)
{
    std::vector<std::uint64_t> out;
    for (std::uint64_t n = 0; n < below; ++n)
        if (t.look(key(n)) != nullptr) out.push_back(n);
    return out;
}

} // namespace

TEST_CASE("a bounded table keeps what it is given, under the key it was given for")
{
    table t{1'000, {7}};
    for (int n = 0; n < 1'000; ++n) t.use(key(static_cast<std::uint64_t>(n))) = n;
    for (int n = 0; n < 1'000; ++n) CHECK(*t.look(key(static_cast<std::uint64_t>(n))) == n);
    CHECK(t.size() == t.capacity());
    CHECK(t.evicted() == 0);
    CHECK(t.use(key(1'000)) == 0); // made anew, and the oldest is gone
    CHECK(t.look(key(0)) == nullptr);
    CHECK(t.size() == 1'000);
    CHECK(t.evicted() == 1);
}

TEST_CASE("a full small table lets the key go that was used least recently, whatever came between")
{
    std::mt19937_64 random{1};
    for (int round = 0; round < 50; ++round) {
        table t{8, {7}};
        std::vector<std::uint64_t> order; // used last first
        for (int i = 0; i < 500; ++i) {
            const auto n = random() % 20;
            const auto at = std::find(order.begin(), order.end(), n);
            if (random() % 4 == 0) {
                t.forget(key(n));
                if (at != order.end()) order.erase(at);
            } else {
                t.use(key(n)) = static_cast<int>(n);
                if (at != order.end()) order.erase(at);
                order.insert(order.begin(), n);
                if (order.size() > 8) order.pop_back();
            }
            auto expected = order;
            std::sort(expected.begin(), expected.end());
            REQUIRE(known(t, 20) == expected);
            REQUIRE(t.size() == expected.size());
        }
        for (const auto n : order) CHECK(*t.look(key(n)) == static_cast<int>(n));
    }
}

TEST_CASE("a key leaves a large table only when fifteen sixteenths of it are keys that were used since")
{
    constexpr std::uint64_t capacity = 256, keys = 400;
    std::mt19937_64 random{2};
    table t{capacity, {7}};
    std::map<std::uint64_t, int> last_use;
    for (int use = 0; use < 20'000; ++use) {
        const auto before = known(t, keys);
        const auto n = std::min(random() % keys, random() % keys); // some far more often than others
        t.use(key(n));
        last_use[n] = use;
        for (const auto was : before)
            if (t.look(key(was)) == nullptr)
                CHECK(std::count_if(last_use.begin(), last_use.end(), [&](const auto& u) { return u.second > last_use[was]; }) >=
                      capacity / 16 * 15);
    }
    CHECK(t.evicted() > 1'000);
}

TEST_CASE("what is forgotten makes room, and comes back as new")
{
    table t{2, {7}};
    t.use(key(1)) = 1;
    t.use(key(2)) = 2;
    t.forget(key(1));
    t.forget(key(1)); // again: nothing
    t.use(key(3)) = 3;
    CHECK(t.evicted() == 0);
    CHECK(*t.look(key(2)) == 2);
    CHECK(t.use(key(1)) == 0);
    CHECK(t.evicted() == 1);
}

TEST_CASE("what is kept of a client at an entry is kept of it at the entry's heirs, unless they have more")
{
    table t{100, {7}};
    const auto at = [](std::uint32_t client, std::uint64_t entry) { return client_key{exeat::ip_address::v4(client), entry}; };
    t.use(at(1, 10)) = 5, t.use(at(2, 10)) = 6, t.use(at(2, 20)) = 9, t.use(at(1, 40)) = 8;
    const exeat::heirs_of<std::uint64_t> heirs{{10, 20}, {10, 30}};
    t.pass_on(entry_heirs{heirs}, [](int a, int b) { return a > b; });
    CHECK(*t.look(at(1, 10)) == 5);
    CHECK(*t.look(at(1, 20)) == 5);
    CHECK(*t.look(at(1, 30)) == 5);
    CHECK(*t.look(at(2, 20)) == 9);
    CHECK(*t.look(at(2, 30)) == 6);
    CHECK(t.look(at(2, 40)) == nullptr);
    CHECK(t.size() == 7);
}
