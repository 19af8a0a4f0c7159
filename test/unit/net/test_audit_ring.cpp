#include <net/audit/audit_ring.hpp>

#include <deque>
#include <doctest/doctest.h>
#include <fstream>
#include <memory>
#include <random>
#include <string>

using namespace exeat;
using namespace exeat::net;

namespace {

constexpr auto most = limits::audit_client_octets;

audit_record record(std::uint64_t id, std::size_t host, std::size_t server_name)
{
    audit_record r;
    r.id = id;
    r.upload = ~id;
    r.host = bounded_text{std::string(host, static_cast<char>('a' + id % 26))};
    r.server_name = bounded_text{std::string(server_name, static_cast<char>('A' + id % 26))};
    return r;
}

bool same(const audit_record& a, const audit_record& b)
{
    const auto text = [](const bounded_text& x, const bounded_text& y) { return x.str() == y.str() && x.cut() == y.cut(); };
    return a.id == b.id && a.upload == b.upload && text(a.host, b.host) && text(a.server_name, b.server_name);
}

std::size_t dirty_kib()
{
    std::ifstream in{"/proc/self/smaps_rollup"};
    for (std::string word; in >> word;)
        if (word == "Private_Dirty:") {
            std::size_t kib = 0;
            in >> kib;
            return kib;
        }
    return 0;
}

// On the heap: GCC 12's AddressSanitizer aligns its copy of a frame to 32 octets only (GCC bug 110027), the ring wants 64.
std::unique_ptr<audit_ring> new_ring() { return std::make_unique<audit_ring>(); }

} // namespace

TEST_CASE("records of any size come back as they were and in their order, however full the ring is")
{
    const auto ring = new_ring();
    std::mt19937 random{7};
    std::deque<audit_record> waiting;
    std::uint64_t id = 0, full = 0, emptied = 0;
    const auto size = [&] { return std::array<std::size_t, 4>{0, random() % 30, random() % 300, most}[random() % 4]; };
    for (int turn = 0; turn < 200; ++turn) {
        for (auto n = random() % 12'000; n > 0; --n) {
            const auto r = record(id, size(), size());
            const bool taken = ring->push(r);
            REQUIRE(taken == (waiting.size() < limits::audit_ring_records));
            if (!taken) break;
            waiting.push_back(r), ++id;
        }
        full += waiting.size() == limits::audit_ring_records;
        for (auto n = random() % 12'000; n > 0 && !waiting.empty(); --n) {
            const auto* r = ring->front();
            REQUIRE(r != nullptr);
            REQUIRE(same(*r, waiting.front()));
            ring->pop(), waiting.pop_front();
        }
        emptied += waiting.empty();
        if (waiting.empty()) REQUIRE(ring->front() == nullptr);
        ring->give_back();
    }
    CHECK(full > 0);
    CHECK(emptied > 0);
    CHECK(id > 4 * limits::audit_ring_records);
}

TEST_CASE("the ring has room for all its records at their largest, wherever it begins")
{
    for (const std::size_t before : {0, 1, 4'000, 8'191}) {
        const auto ring = new_ring();
        for (std::size_t i = 0; i < before; ++i) REQUIRE(ring->push(record(i, 17, 3)));
        for (std::size_t i = 0; i + 1 < before; ++i) ring->pop(); // the last one stays: the next does not begin at the start
        std::uint64_t put = before > 0 ? 1 : 0;
        for (; ring->push(record(put, most + 1, most + 1)); ++put) {}
        CHECK(put == limits::audit_ring_records);
        if (before > 0) ring->pop();
        for (std::uint64_t i = before > 0 ? 1 : 0; i < put; ++i, ring->pop()) REQUIRE(same(*ring->front(), record(i, most + 1, most + 1)));
        CHECK(ring->front() == nullptr);
    }
}

TEST_CASE("a ring that was full gives its memory back once it is empty")
{
    constexpr std::size_t slack = 512; // KiB: of whatever else the program touches meanwhile
    auto r = record(0, most, most);    // one for all: AddressSanitizer keeps what is freed
    const auto before = dirty_kib();
    const auto ring = new_ring();
    const auto put = [&] {
        for (r.id = 0; ring->push(r); ++r.id) {}
        return r.id;
    };
    const auto take = [&] {
        REQUIRE(ring->front()->id == r.id);
        REQUIRE(same(*ring->front(), r));
        ring->pop(), ++r.id;
    };
    CHECK(dirty_kib() < before + slack);
    CHECK(put() == limits::audit_ring_records);
    CHECK(dirty_kib() > before + limits::audit_ring_records * 2 * most / 1024);
    r.id = 0;
    take();
    ring->give_back(); // what waits is not forgotten
    while (r.id < limits::audit_ring_records) take();
    ring->give_back();
#if !defined(__SANITIZE_THREAD__) // whose shadow of the pages stays
    CHECK(dirty_kib() < before + slack);
#endif
    CHECK(put() == limits::audit_ring_records);
}
