#include <exeat/denied_networks.hpp>

#include <doctest/doctest.h>
#include <random>
#include <set>

using namespace exeat;

namespace {

std::vector<std::uint32_t> found(const denied_networks& in, const ip_address& a)
{
    std::vector<std::uint32_t> out;
    in.match(a, [&](std::uint32_t rule) {
        out.push_back(rule);
        return true;
    });
    return out;
}

} // namespace

TEST_CASE("the narrowest network comes first, and each once")
{
    const auto net = [](std::string_view t) { return *ip_prefix::parse(t); };
    const denied_networks all{{{net("10.0.0.0/8"), 1},
                               {net("10.1.0.0/16"), 2},
                               {net("10.1.0.0/16"), 2},
                               {net("0.0.0.0/0"), 3},
                               {net("10.1.2.3"), 4},
                               {net("10.1.0.0/16"), 0}}};
    CHECK(all.all().size() == 5);
    CHECK(found(all, *ip_address::parse("10.1.2.3")) == std::vector<std::uint32_t>{4, 0, 2, 1, 3});
    CHECK(found(all, *ip_address::parse("10.2.2.3")) == std::vector<std::uint32_t>{1, 3});
    CHECK(found(all, *ip_address::parse("::1")).empty());
    int seen = 0;
    all.match(*ip_address::parse("10.1.2.3"), [&](std::uint32_t) { return ++seen < 2; });
    CHECK(seen == 2);
    CHECK(denied_networks{}.empty());
    CHECK(found({}, *ip_address::parse("10.1.2.3")).empty());
}

TEST_CASE("whatever the networks, exactly those that contain an address are found")
{
    std::mt19937 random{7};
    const auto address = [&] {
        ip_address a;
        for (auto& o : a.octets) o = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : 0);
        return a;
    };
    for (int round = 0; round < 200; ++round) {
        std::vector<denied_networks::entry> entries;
        for (std::uint32_t i = 0; i < 30; ++i)
            entries.push_back({ip_prefix::around(address(), static_cast<std::uint8_t>(random() % 129)), i});
        const denied_networks all{entries};
        for (int n = 0; n < 50; ++n) {
            const auto a = n % 2 == 0 ? address() : entries[random() % entries.size()].network.last();
            std::set<std::uint32_t> right;
            for (const auto& e : entries)
                if (e.network.contains(a)) right.insert(e.rule);
            const auto got = found(all, a);
            CHECK(std::set<std::uint32_t>{got.begin(), got.end()} == right);
            CHECK(got.size() == right.size());
        }
    }
}
