#include <core/names/name_hash.hpp>
#include <doctest/doctest.h>
#include <exeat/names/name_index.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace exeat;

namespace {

host_pattern pattern(std::string_view text)
{
    auto p = host_pattern::parse(text);
    REQUIRE_MESSAGE(p.has_value(), text);
    return *p;
}

struct line {
    rule_index rule;
    std::string pattern;
};

name_index built(const std::vector<line>& lines, std::uint64_t seed = 7)
{
    name_index_builder b{seed};
    for (const auto& l : lines) b.add(l.rule, pattern(l.pattern));
    return std::move(b).finish();
}

std::vector<std::vector<rule_index>> matches(const name_index& index, std::string_view host)
{
    std::vector<std::vector<rule_index>> out;
    index.match(host, [&](std::span<const rule_index> rules, host_pattern::reach) {
        out.emplace_back(rules.begin(), rules.end());
        return true;
    });
    return out;
}

using lists = std::vector<std::vector<rule_index>>;

// What the patterns mean, read off the text.
bool takes(const std::string& p, const std::string& host)
{
    const auto ends = [&](const std::string& suffix) { return host.size() > suffix.size() && host.ends_with(suffix); };
    if (p.starts_with("**.")) return ends(p.substr(2));
    if (p.starts_with("*.")) return ends(p.substr(1)) && host.find('.') == host.size() - (p.size() - 1);
    return p == host;
}

std::string random_name(std::mt19937& random, std::size_t most_labels)
{
    std::string out;
    const std::size_t labels = 2 + random() % (most_labels - 1);
    for (std::size_t i = 0; i < labels; ++i) {
        if (i > 0) out += '.';
        out += static_cast<char>('a' + random() % 3);
        if (random() % 4 == 0) out += "bbbbbbbb"; // past one word of the hash
    }
    return out;
}

} // namespace

TEST_CASE("a pattern is a name, or one wildcard above at least two labels, and nothing else")
{
    using enum host_pattern::reach;
    CHECK(pattern("a.b.c").how == exact);
    CHECK(pattern("*.B.c.").how == one_label);
    CHECK(pattern("**.b.c").how == any_depth);
    CHECK(pattern("*.B.c.").base.str() == "b.c");
    CHECK(pattern("192.0.2.1").base.address().has_value());
    for (const auto* good : {"a.b.c", "*.b.c", "**.b.c", "192.0.2.1", "[2001:db8::1]"}) CHECK(pattern(good).to_string() == good);
    for (const auto* bad :
         {"",        "*",        "**",          "*.",           "**.",     "*.com",  "**.com", "a*.b.c",    "a.*.c",    "*a.b.c", "***.b.c",
          "*.*.b.c", "**.*.b.c", "*.192.0.2.1", "**.192.0.2.1", "*.[::1]", "*..b.c", ".b.c",   "localhost", "a.b.c/24", "*"})
        CHECK_MESSAGE(!host_pattern::parse(bad).has_value(), bad);
}

TEST_CASE("a wildcard takes neither its apex nor, with one star, two labels")
{
    const auto index = built({{0, "*.b.c"}, {1, "**.b.c"}, {2, "b.c"}});
    CHECK(matches(index, "b.c") == lists{{2}});
    CHECK(matches(index, "a.b.c") == lists{{0}, {1}});
    CHECK(matches(index, "x.a.b.c") == lists{{1}});
    CHECK(matches(index, "ab.c").empty());
    CHECK(matches(index, "b.c.d").empty());
    CHECK(matches(index, "c").empty());
}

TEST_CASE("the most specific pattern comes first and the longest base of any depth before shorter ones")
{
    const auto index = built({{0, "**.c.d"}, {1, "**.b.c.d"}, {2, "*.b.c.d"}, {3, "a.b.c.d"}, {4, "a.b.c.d"}});
    CHECK(matches(index, "a.b.c.d") == lists{{3, 4}, {2}, {1}, {0}});
}

TEST_CASE("a visit ends when it is told to")
{
    const auto index = built({{0, "a.b.c"}, {1, "*.b.c"}, {2, "**.b.c"}});
    std::size_t seen = 0;
    index.match("a.b.c", [&](std::span<const rule_index>, host_pattern::reach) { return ++seen < 2; });
    CHECK(seen == 2);
}

TEST_CASE("a name in many rules lists each once, in the file's order, however often and in whatever order it is added")
{
    const auto index = built({{2, "a.b"}, {0, "a.b"}, {1, "a.b"}, {1, "a.b"}, {1, "*.a.b"}, {1, "a.b"}, {0, "c.d"}});
    CHECK(matches(index, "a.b") == lists{{0, 1, 2}});
    CHECK(matches(index, "x.a.b") == lists{{1}});
    CHECK(matches(index, "c.d") == lists{{0}});
    CHECK(index.names() == 2);
}

TEST_CASE("an index without names matches nothing")
{
    const name_index never_built;
    CHECK(matches(never_built, "a.b").empty());
    CHECK(matches(built({}), "a.b").empty());
    CHECK(built({}).names() == 0);
}

TEST_CASE("an address matches only itself")
{
    const auto index = built({{0, "192.0.2.1"}, {1, "[2001:db8::1]"}, {2, "**.b.c"}});
    CHECK(matches(index, "192.0.2.1") == lists{{0}});
    CHECK(matches(index, "2001:db8::1") == lists{{1}});
    CHECK(matches(index, "9.192.0.2.1").empty());
    CHECK(matches(index, "2.1").empty());
}

TEST_CASE("the longest possible name is found by each of its suffixes")
{
    std::string host;
    while (host.size() < limits::hostname_octets - 2) host += "a.";
    host += "a";
    REQUIRE(host.size() == limits::hostname_octets);
    const auto index = built({{0, host}, {1, "**.a.a"}, {2, "*." + host.substr(2)}});
    CHECK(matches(index, host) == lists{{0}, {2}, {1}});
}

TEST_CASE("random patterns match exactly what their text says, under any seed")
{
    std::mt19937 random{20};
    for (int round = 0; round < 60; ++round) {
        std::vector<line> lines;
        const std::size_t count = 1 + random() % 60;
        for (std::size_t i = 0; i < count; ++i) {
            constexpr std::array<const char*, 3> fronts{"", "*.", "**."};
            lines.push_back({static_cast<rule_index>(random() % 8), fronts[random() % 3] + random_name(random, 4)});
        }
        const auto index = built(lines, random());
        for (int probe = 0; probe < 60; ++probe) {
            const auto host = random_name(random, 6);
            std::set<rule_index> expected, got;
            for (const auto& l : lines)
                if (takes(l.pattern, host)) expected.insert(l.rule);
            for (const auto& list : matches(index, host)) got.insert(list.begin(), list.end());
            CHECK_MESSAGE(got == expected, host);
        }
    }
}

TEST_CASE("a million names are all found, no neighbour is, and they take at most 50 MiB")
{
    constexpr std::size_t count = 1'000'000;
    const auto name = [](std::size_t i) { return "host-" + std::to_string(100'000'000 + i) + ".mirrors.io"; };
    name_index_builder b{99};
    for (std::size_t i = 0; i < count; ++i) b.add(static_cast<rule_index>(i % 3), pattern(name(i)));
    const auto index = std::move(b).finish();
    CHECK(index.names() == count);
    CHECK(index.bytes() <= 50u * 1024 * 1024);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < count; i += 7) {
        wrong += matches(index, name(i)) != lists{{static_cast<rule_index>(i % 3)}};
        wrong += !matches(index, name(i + count)).empty();
    }
    CHECK(wrong == 0);
}

TEST_CASE("names whose hashes fall into one bucket, too many for a block of it, are all found, and their neighbours too")
{
    constexpr std::uint64_t seed = 5;
    const auto hash_of = [](const std::string& name) {
        std::uint32_t hash = 0;
        each_suffix(name, seed, [&](std::size_t, std::uint32_t h) { hash = h; });
        return hash;
    };
    const std::string tail = "." + std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + ".test";
    std::vector<line> lines;
    std::size_t together = 0;
    for (int i = 0; together < 60; ++i) {
        const auto name = "n" + std::to_string(i) + tail;
        const bool same = hash_of(name) >> 24 == 0x80; // the smallest index has 256 buckets
        if (same || i < 100) lines.push_back({static_cast<rule_index>(lines.size()), name});
        together += same;
    }
    const auto index = built(lines, seed);
    for (const auto& l : lines) CHECK(matches(index, l.pattern) == lists{{l.rule}});
    CHECK(matches(index, "other" + tail).empty());
}
