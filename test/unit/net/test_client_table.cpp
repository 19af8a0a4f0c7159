#include <net/clients/client_table.hpp>

#include <atomic>
#include <doctest/doctest.h>
#include <thread>

using namespace exeat;
using namespace exeat::net;
using namespace std::chrono_literals;

namespace {

client_key a_pod(std::uint32_t n, std::uint32_t group = 1) { return {ip_address::v4(0x0a000000 + n), group}; }

std::uint64_t everything(const client_table& t)
{
    std::uint64_t sum = 0;
    t.each([&](const client_key*, const client_account& a) {
        for (const auto& p : a.bytes) sum += p.upload.read() + p.download.read();
    });
    return sum;
}

std::size_t names(const client_table& t)
{
    std::size_t n = 0;
    t.each([&](const client_key* key, const client_account&) { n += key != nullptr; });
    return n;
}

} // namespace

TEST_CASE("a client has one account, another group of the same address another")
{
    client_table t;
    auto& a = t.of(a_pod(1));
    CHECK(&a == &t.of(a_pod(1)));
    CHECK(&a != &t.of(a_pod(1, 2)));
    CHECK(&a != &t.of(a_pod(2)));
    CHECK(names(t) == 3);
}

TEST_CASE("an account stays where it is while others come and go")
{
    client_table t;
    auto& a = t.of(a_pod(0));
    a.active.add();
    for (std::uint32_t i = 1; i < 10'000; ++i) t.of(a_pod(i));
    t.forget_idle(limits::client_idle);
    CHECK(names(t) == 1);
    CHECK(&a == &t.of(a_pod(0)));
}

TEST_CASE("a client is forgotten after a day without a sign, and what it moved stays in the sum")
{
    client_table t;
    auto& a = t.of(a_pod(1));
    a.last_seen.set(100);
    a.bytes[0].upload.add(5);
    a.bytes[3].download.add(7);
    a.denied.add(2);
    t.forget_idle(100s + limits::client_idle - 1s);
    CHECK(names(t) == 1);
    t.forget_idle(100s + limits::client_idle + limits::client_sweep);
    CHECK(names(t) == 0);
    CHECK(everything(t) == 12);
    t.each([](const client_key*, const client_account& shared) { CHECK(shared.denied.read() == 2); });
}

TEST_CASE("a client with an open tunnel is never forgotten")
{
    client_table t;
    t.of(a_pod(1)).active.add();
    t.forget_idle(limits::client_idle * 100);
    CHECK(names(t) == 1);
    t.of(a_pod(1)).active.take();
    t.forget_idle(limits::client_idle * 101);
    CHECK(names(t) == 0);
}

TEST_CASE("when the slots are used, new clients share one account and old ones keep theirs")
{
    client_table t;
    for (std::uint32_t i = 0; i < limits::client_slots; ++i) t.of(a_pod(i)).active.add();
    auto& shared = t.of(a_pod(limits::client_slots));
    CHECK(&shared == &t.of(a_pod(limits::client_slots + 1)));
    CHECK(&shared != &t.of(a_pod(5)));
    CHECK(names(t) == limits::client_slots);
}

TEST_CASE("a reader that walks while the worker adds and forgets sees sums that never fall")
{
    client_table t;
    std::atomic<bool> done{false};
    std::thread worker{[&] {
        for (std::uint32_t i = 0; i < 200; ++i) {
            for (std::uint32_t n = 0; n < 500; ++n) t.of(a_pod(i * 500 + n)).bytes[1].download.add(3);
            t.forget_idle(limits::client_idle * (i + 1));
        }
        done = true;
    }};
    std::uint64_t last = 0;
    bool fell = false;
    while (!done) {
        const auto now = everything(t);
        fell |= now < last;
        last = now;
    }
    worker.join();
    CHECK_FALSE(fell);
    CHECK(everything(t) == 300'000);
}
