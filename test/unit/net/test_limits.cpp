// Bounds of the transport at their value and one beyond.
#include <net/audit/late_records.hpp>
#include <net/dns/dns_cache.hpp>
#include <net/loop/kept_memory.hpp>
#include <net/sockets/splice_pipe.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

using namespace exeat;
using namespace exeat::net;
using namespace std::chrono_literals;

namespace {

dns_answer answer(std::chrono::seconds ttl, bool failed = false)
{
    dns_answer a;
    a.addresses.push_back(ip_address::v4(0x5db8d801));
    a.ttl = ttl;
    a.failed = failed;
    return a;
}

// Whether an answer of this TTL is still believed so long after it came.
bool believed(std::chrono::seconds ttl, std::chrono::nanoseconds after, bool failed = false)
{
    const auto came = dns_cache::moment{} + 1h;
    dns_cache cache;
    cache.keep("ok.test", answer(ttl, failed), came);
    return cache.find("ok.test", came + after) != nullptr;
}

std::size_t descriptors()
{
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

} // namespace

TEST_CASE("an answer is believed as long as it says, but a second at least and five minutes at most")
{
    CHECK(believed(10s, 10s - 1ns));
    CHECK_FALSE(believed(10s, 10s));
    CHECK(believed(0s, limits::dns_ttl_floor - 1ns));
    CHECK_FALSE(believed(0s, limits::dns_ttl_floor));
    CHECK(believed(24h, limits::dns_ttl_ceiling - 1ns));
    CHECK_FALSE(believed(24h, limits::dns_ttl_ceiling));
}

TEST_CASE("a failure is believed for a second, whatever TTL came with it")
{
    CHECK(believed(100s, limits::dns_negative_ttl - 1ns, true));
    CHECK_FALSE(believed(100s, limits::dns_negative_ttl, true));
}

TEST_CASE("the cache of names holds so many, and one more takes the place of another")
{
    dns_cache cache;
    const auto now = dns_cache::moment{} + 1h;
    for (std::size_t i = 0; i < limits::dns_cache_entries; ++i) cache.keep("h" + std::to_string(i) + ".test", answer(60s), now);
    CHECK(cache.size() == limits::dns_cache_entries);
    CHECK(cache.find("h0.test", now) != nullptr);
    cache.keep("h0.test", answer(60s), now); // a name that is there takes nobody's place
    CHECK(cache.size() == limits::dns_cache_entries);
    cache.keep("one-more.test", answer(60s), now);
    CHECK(cache.size() == limits::dns_cache_entries);
    CHECK(cache.find("one-more.test", now) != nullptr);
}

TEST_CASE("so many late records are kept, in their order, and one more is not")
{
    late_records late;
    audit_record r;
    for (std::size_t i = 0; i < limits::audit_late_records; ++i) {
        r.id = i;
        REQUIRE(late.keep(r));
    }
    CHECK_FALSE(late.keep(r));
    const auto held = std::make_unique<audit_ring>(); // GCC 12's AddressSanitizer aligns no frame to 64 octets (GCC bug 110027)
    auto& ring = *held;
    std::uint64_t next = 0;
    while (!late.empty()) {
        late.move_to(ring);
        for (; ring.front(); ring.pop()) REQUIRE(ring.front()->id == next++);
    }
    CHECK(next == limits::audit_late_records);
    CHECK(late.keep(r));
}

TEST_CASE("a worker keeps so many idle pipes and closes the next")
{
    const auto before = descriptors();
    {
        descriptor_share share{limits::spare_descriptors};
        pipe_pool pool{share};
        std::vector<splice_pipe> taken;
        for (std::size_t i = 0; i <= limits::idle_pipes; ++i) taken.push_back(std::move(pool.take().value()));
        CHECK(descriptors() == before + 2 * (limits::idle_pipes + 1));
        for (std::size_t i = 0; i < limits::idle_pipes; ++i) pool.give_back(std::move(taken[i]));
        CHECK(descriptors() == before + 2 * (limits::idle_pipes + 1));
        pool.give_back(std::move(taken[limits::idle_pipes]));
        CHECK(descriptors() == before + 2 * limits::idle_pipes);
    }
    CHECK(descriptors() == before);
}

TEST_CASE("kept memory serves one operation of its size, and what is larger or a second one comes from elsewhere")
{
    kept_memory kept;
    const auto inside = [&](const void* at) { return at >= static_cast<const void*>(&kept) && at < static_cast<const void*>(&kept + 1); };
    void* larger = kept.take(limits::operation_bytes + 1);
    CHECK_FALSE(inside(larger));
    void* first = kept.take(limits::operation_bytes);
    CHECK(inside(first));
    void* second = kept.take(1);
    CHECK_FALSE(inside(second));
    kept.give_back(second);
    kept.give_back(larger);
    kept.give_back(first);
    first = kept.take(1);
    CHECK(inside(first));
    kept.give_back(first);
}
