// Which names the cache forgets first, and that it never needs more than its room.
#include <net/dns/dns_cache.hpp>

#include <doctest/doctest.h>
#include <string>

using namespace exeat;
using namespace exeat::net;
using namespace std::chrono_literals;

namespace {

constexpr auto most = limits::dns_cache_entries;
const auto start = dns_cache::moment{} + 1h + 300ms; // not on a whole second

dns_answer answer(std::chrono::seconds ttl)
{
    dns_answer a;
    a.addresses.push_back(ip_address::v4(0x5db8d801));
    a.ttl = ttl;
    return a;
}

std::string name(std::string_view kind, std::size_t n) { return std::string{kind} + std::to_string(n) + ".test"; }

void fill(dns_cache& cache, std::string_view kind, std::size_t count, std::chrono::seconds ttl, dns_cache::moment now)
{
    for (std::size_t i = 0; i < count; ++i) cache.keep(name(kind, i), answer(ttl), now);
}

std::size_t known(dns_cache& cache, std::string_view kind, std::size_t count, dns_cache::moment now)
{
    std::size_t n = 0;
    for (std::size_t i = 0; i < count; ++i) n += cache.find(name(kind, i), now) != nullptr ? 1 : 0;
    return n;
}

} // namespace

TEST_CASE("a full cache drops expired entries before any that is still believed")
{
    dns_cache cache;
    fill(cache, "lasting", most / 2, 300s, start);
    fill(cache, "short", most / 2, 1s, start);
    const auto later = start + 3s;
    fill(cache, "new", most / 2, 300s, later);
    CHECK(cache.size() <= most);
    CHECK(known(cache, "lasting", most / 2, later) == most / 2);
    CHECK(known(cache, "new", most / 2, later) == most / 2);
}

TEST_CASE("a full cache without an expired entry drops the least recently used one")
{
    dns_cache cache;
    fill(cache, "h", most, 300s, start);
    REQUIRE(cache.find(name("h", 0), start)); // used: now the second is the oldest
    cache.keep("one-more.test", answer(300s), start);
    CHECK(cache.size() == most);
    CHECK(cache.find("one-more.test", start));
    CHECK(cache.find(name("h", 0), start));
    CHECK_FALSE(cache.find(name("h", 1), start));
    CHECK(known(cache, "h", most, start) == most - 1);
}

TEST_CASE("a name that is looked up often outlives a flood of names")
{
    dns_cache cache;
    cache.keep("often.test", answer(300s), start);
    for (std::size_t i = 0; i < 4 * most; ++i) {
        cache.keep(name("flood", i), answer(300s), start);
        if (i % (most / 2) == 0) REQUIRE(cache.find("often.test", start));
    }
    CHECK(cache.find("often.test", start));
    CHECK(cache.size() == most);
}

TEST_CASE("the newest entry is never the one that makes room")
{
    dns_cache cache;
    for (std::size_t i = 0; i < 2 * most; ++i) {
        cache.keep(name("h", i), answer(1s + std::chrono::seconds{i % 7}), start);
        REQUIRE(cache.find(name("h", i), start));
    }
}

TEST_CASE("sweeps drop what has expired, a bounded number at a time, and nothing else")
{
    dns_cache cache;
    fill(cache, "short", limits::dns_cache_sweep + 1, 1s, start);
    fill(cache, "lasting", 10, 300s, start);
    cache.sweep(start + 500ms);
    CHECK(cache.size() == limits::dns_cache_sweep + 11);
    cache.sweep(start + 3s);
    CHECK(cache.size() == 11);
    cache.sweep(start + 3s);
    CHECK(cache.size() == 10);
    CHECK(known(cache, "lasting", 10, start + 3s) == 10);
    cache.sweep(start + 24h); // more than a lap of the buckets
    CHECK(cache.size() == 0);
}

TEST_CASE("an entry that is renewed is believed as long as its newest answer says")
{
    dns_cache cache;
    cache.keep("ok.test", answer(2s), start);
    cache.keep("ok.test", answer(200s), start + 1s);
    cache.sweep(start + 10s);
    CHECK(cache.find("ok.test", start + 10s));
    cache.keep("ok.test", answer(1s), start + 10s);
    CHECK_FALSE(cache.find("ok.test", start + 11s));
    CHECK(cache.size() == 0);
}
