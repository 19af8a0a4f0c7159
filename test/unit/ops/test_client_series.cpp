#include <ops/metrics/client_series.hpp>

#include <doctest/doctest.h>
#include <map>
#include <memory>
#include <random>

using namespace exeat;
using namespace exeat::ops;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

net::client_key a_pod(std::uint32_t n) { return {ip_address::v4(0x0a000000 + n), 1}; }

struct tables {
    std::vector<std::unique_ptr<net::client_table>> owned;
    explicit tables(std::size_t n)
    {
        for (std::size_t i = 0; i < n; ++i) owned.push_back(std::make_unique<net::client_table>());
    }
    std::vector<const net::client_table*> all() const
    {
        std::vector<const net::client_table*> out;
        for (const auto& t : owned) out.push_back(t.get());
        return out;
    }
    void upload(std::size_t worker, std::uint32_t client, std::uint64_t bytes, std::chrono::seconds now = 0s)
    {
        auto& a = owned[worker]->of(a_pod(client));
        a.bytes[0].upload.add(bytes);
        a.last_seen.set(static_cast<std::uint64_t>(now.count()));
    }
};

std::uint64_t shown(const client_series& s, std::uint32_t client)
{
    const auto at = s.named().find(a_pod(client));
    return at == s.named().end() ? 0 : at->second.shown.all_bytes();
}

std::uint64_t sum(const client_series& s)
{
    auto total = s.other().all_bytes() + s.past().all_bytes();
    for (const auto& [key, one] : s.named()) total += one.shown.all_bytes();
    return total;
}

} // namespace

TEST_CASE("a client has a series from its first byte or refusal as long as there is room, and none before")
{
    tables t{2};
    client_series s{t.all()};
    t.owned[0]->of(a_pod(3)).active.add();
    t.upload(0, 1, 1);
    t.owned[1]->of(a_pod(2)).denied.add();
    s.refresh(0s);
    CHECK(shown(s, 1) == 1);
    REQUIRE(s.named().contains(a_pod(2)));
    CHECK(s.named().at(a_pod(2)).shown.denied == 1);
    CHECK_FALSE(s.named().contains(a_pod(3)));
    CHECK(s.other().none());
}

TEST_CASE("without room a mebibyte over all workers earns a series, in place of the least active client's")
{
    tables t{2};
    client_series s{t.all()};
    for (std::uint32_t i = 0; i < limits::client_series; ++i) t.upload(0, 1'000 + i, 10 + i);
    s.refresh(0s);
    t.upload(0, 1, mebibyte / 2);
    s.refresh(1s);
    CHECK(s.named().size() == limits::client_series);
    CHECK(shown(s, 1) == 0);
    CHECK(s.other().all_bytes() == mebibyte / 2);
    t.upload(1, 1, mebibyte / 2);
    s.refresh(2s);
    CHECK(shown(s, 1) == mebibyte / 2);
    CHECK(s.other().all_bytes() == mebibyte / 2);
    CHECK(shown(s, 1'000) == 0);
    CHECK(shown(s, 1'001) == 11);
    CHECK(s.past().all_bytes() == 10);
    CHECK(s.named().size() == limits::client_series);
}

TEST_CASE("a burst of a new client within one scrape is all the client's")
{
    tables t{1};
    client_series s{t.all()};
    t.upload(0, 1, 5'000 * mebibyte);
    s.refresh(0s);
    CHECK(shown(s, 1) == 5'000 * mebibyte);
    CHECK(s.other().all_bytes() == 0);
}

TEST_CASE("the largest clients get the places, and a place is not taken away by a larger one")
{
    tables t{1};
    client_series s{t.all()};
    for (std::uint32_t i = 0; i < 300; ++i) t.upload(0, i, mebibyte + i);
    s.refresh(0s);
    CHECK(s.named().size() == limits::client_series);
    CHECK(shown(s, 299) > 0);
    CHECK(shown(s, 50) == 0);
    t.upload(0, 50, 1'000 * mebibyte);
    s.refresh(1s);
    CHECK(shown(s, 50) == 0);
    CHECK(shown(s, 100) == mebibyte + 100);
    CHECK(s.other().all_bytes() > 1'000 * mebibyte);
}

TEST_CASE("a client that only probes gets a series, and probers cannot take all the places")
{
    tables t{1};
    client_series s{t.all()};
    for (std::uint32_t i = 0; i < 300; ++i) t.owned[0]->of(a_pod(i)).denied.add(limits::client_series_denials);
    s.refresh(0s);
    CHECK(s.named().size() == limits::client_series);
    for (std::uint32_t i = 1'000; i < 1'300; ++i) t.upload(0, i, mebibyte);
    s.refresh(1s);
    CHECK(s.named().size() == limits::client_series);
    std::size_t uploaders = 0;
    for (const auto& [key, one] : s.named()) uploaders += one.shown.all_bytes() > 0;
    CHECK(uploaders == limits::client_series - limits::client_series_probers);
}

TEST_CASE("where there is no room a prober takes the place of who did nearly nothing")
{
    tables t{1};
    client_series s{t.all()};
    for (std::uint32_t i = 0; i < limits::client_series; ++i) t.upload(0, i, 100);
    s.refresh(0s);
    for (std::uint32_t i = 0; i < 300; ++i) t.owned[0]->of(a_pod(1'000 + i)).denied.add(limits::client_series_denials - (i == 0));
    s.refresh(1s);
    CHECK_FALSE(s.named().contains(a_pod(1'000)));
    std::size_t probers = 0;
    for (const auto& [key, one] : s.named()) probers += one.shown.denied > 0;
    CHECK(probers == limits::client_series_probers);
    CHECK(s.named().size() == limits::client_series);
}

TEST_CASE("a place is free again after a day of idleness and what it showed is past")
{
    tables t{1};
    client_series s{t.all()};
    t.upload(0, 1, mebibyte);
    s.refresh(0s);
    s.refresh(limits::client_idle - 1s);
    CHECK(shown(s, 1) == mebibyte);
    s.refresh(limits::client_idle);
    CHECK(s.named().empty());
    CHECK(s.past().all_bytes() == mebibyte);
    t.upload(0, 1, 10);
    s.refresh(limits::client_idle + 1s);
    CHECK(shown(s, 1) == 10);
    CHECK(s.past().all_bytes() == mebibyte);
}

TEST_CASE("a client with an open tunnel keeps its place, however quiet")
{
    tables t{1};
    client_series s{t.all()};
    t.upload(0, 1, mebibyte);
    t.owned[0]->of(a_pod(1)).active.add();
    s.refresh(0s);
    s.refresh(limits::client_idle * 3);
    CHECK(shown(s, 1) == mebibyte);
}

TEST_CASE("whatever clients do and tables forget, no series falls and together they are every byte")
{
    tables t{3};
    client_series s{t.all()};
    std::mt19937 draw{7};
    std::uint64_t all = 0, other = 0, past = 0;
    std::chrono::seconds now = 0s;
    std::map<std::uint32_t, std::uint64_t> before;
    for (int step = 0; step < 400; ++step) {
        for (int i = 0; i < 200; ++i) {
            const auto bytes = draw() % (mebibyte / 2);
            t.upload(draw() % 3, draw() % 600, bytes, now);
            all += bytes;
        }
        now += std::chrono::seconds{draw() % (step % 50 == 0 ? 200'000 : 600)};
        for (auto& table : t.owned) table->forget_idle(now);
        if (step % 3 != 0) s.refresh(now);
        if (step % 3 == 0) continue;
        REQUIRE(sum(s) == all);
        REQUIRE(s.other().all_bytes() >= other);
        REQUIRE(s.past().all_bytes() >= past);
        other = s.other().all_bytes(), past = s.past().all_bytes();
        for (std::uint32_t client = 0; client < 600; ++client) {
            const auto is = shown(s, client);
            if (is != 0) REQUIRE((is >= before[client] || past > 0));
            before[client] = is;
        }
    }
    CHECK(past > 0);
}

TEST_CASE("a client that somebody must see has a series at once and keeps it, in place of the least active that nobody must")
{
    tables t{1};
    client_series s{t.all()};
    for (std::uint32_t i = 0; i < limits::client_series; ++i) t.upload(0, 1'000 + i, 2 * mebibyte + i);
    t.owned[0]->of(a_pod(1)).denied.add();
    s.refresh(0s);
    REQUIRE_FALSE(s.named().contains(a_pod(1)));
    s.refresh(1s, {a_pod(1).source});
    REQUIRE(s.named().contains(a_pod(1)));
    CHECK(s.named().size() == limits::client_series);
    CHECK_FALSE(s.named().contains(a_pod(1'000)));
    s.refresh(1s + limits::client_idle, {a_pod(1).source});
    CHECK(s.named().contains(a_pod(1)));
    s.refresh(2s + 2 * limits::client_idle);
    CHECK_FALSE(s.named().contains(a_pod(1)));
}
