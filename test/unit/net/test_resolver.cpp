// The questions in flight: who waits, who reads which answer, and whose places they are.
#include <net/dns/dns_cache.hpp>
#include <net/dns/dns_questions.hpp>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace exeat;
using namespace exeat::net;
using namespace std::chrono_literals;

namespace {

const auto now = dns_questions::moment{} + 1h;
ip_address source(std::uint32_t n) { return ip_address::v4(0x0a000000 + n); }

dns_answer answer(std::uint32_t address)
{
    dns_answer a;
    a.addresses.push_back(ip_address::v4(address));
    a.ttl = 60s;
    return a;
}

struct lab {
    boost::asio::io_context io{1};
    reactor home{io};
    waiter who{home};
    std::vector<std::string> sent;
    std::map<std::string, dns_questions::number> numbers; // of the last question for each name
    dns_questions questions{2s};

    std::unique_ptr<dns_questions::wait> ask(const std::string& name, std::uint32_t from, dns_questions::moment at = now)
    {
        const auto send = [this](const std::string& n, dns_questions::number number) {
            sent.push_back(n);
            numbers[n] = number;
        };
        auto w = questions.ask(name, source(from), who, send, at);
        if (!w) CHECK(w.error() == verdict::dns_overload);
        return w ? std::move(*w) : nullptr;
    }
    std::optional<dns_questions::ended> half(const std::string& name, dns_half which, dns_answer a, dns_questions::moment at = now)
    {
        return questions.take(name, numbers[name], which, std::move(a), at);
    }
    std::optional<dns_questions::ended> answered(const std::string& name, dns_answer a, dns_questions::moment at = now)
    {
        half(name, dns_half::aaaa, failed_answer(dns_result::no_data), at);
        return half(name, dns_half::a, std::move(a), at);
    }
};

} // namespace

TEST_CASE("who asks for a name that is in flight joins its question, and all read its answer")
{
    lab l;
    const auto first = l.ask("a.test", 1), second = l.ask("a.test", 2), other = l.ask("b.test", 2);
    REQUIRE((first && second && other));
    CHECK(l.sent == std::vector<std::string>{"a.test", "b.test"});
    CHECK_FALSE(first->answer());
    const auto ended = l.answered("a.test", answer(7), now + 5ms);
    REQUIRE(ended);
    CHECK(ended->name == "a.test");
    CHECK(ended->took == 5ms);
    REQUIRE((first->answer() && second->answer()));
    CHECK(first->answer()->addresses.front() == ip_address::v4(7));
    CHECK(second->answer() == first->answer());
    CHECK_FALSE(other->answer());
    CHECK_FALSE(l.answered("a.test", answer(8)));
    CHECK(first->answer()->addresses.front() == ip_address::v4(7));
}

TEST_CASE("an answer reaches who waits for it when the cache has forgotten it before they look")
{
    lab l;
    dns_cache cache;
    const auto waits = l.ask("a.test", 1);
    cache.keep("a.test", answer(7), now);
    l.answered("a.test", answer(7));
    for (std::size_t i = 0; i < limits::dns_cache_entries; ++i) cache.keep("flood" + std::to_string(i), answer(9), now);
    REQUIRE_FALSE(cache.find("a.test", now));
    REQUIRE(waits->answer());
    CHECK(waits->answer()->addresses.front() == ip_address::v4(7));
}

TEST_CASE("one source gets half of the questions, and the others still find places until all are taken")
{
    lab l;
    std::vector<std::unique_ptr<dns_questions::wait>> held;
    const auto fill = [&](std::uint32_t from) {
        std::size_t n = 0;
        for (; auto w = l.ask("n" + std::to_string(l.sent.size()) + ".test", from); ++n) held.push_back(std::move(w));
        return n;
    };
    CHECK(fill(1) == limits::dns_in_flight / 2);
    CHECK(fill(2) == limits::dns_in_flight / 4);
    std::uint32_t sources = 2;
    while (l.questions.in_flight() < limits::dns_in_flight) REQUIRE(fill(++sources) > 0);
    CHECK(fill(sources + 1) == 0);
    CHECK(l.sent.size() == limits::dns_in_flight);
    CHECK(l.ask("n0.test", sources + 1)); // a question that is in flight already takes a waiter's place only
    l.answered("n0.test", answer(1));
    CHECK(l.ask("another.test", sources + 1));
}

TEST_CASE("one source gets half of the places to wait, and who leaves gives its place back")
{
    lab l;
    std::vector<std::unique_ptr<dns_questions::wait>> held;
    while (auto w = l.ask("one.test", 1)) held.push_back(std::move(w));
    CHECK(held.size() == limits::dns_waiters / 2);
    CHECK(l.ask("one.test", 2));
    std::uint32_t from = 1;
    while (l.questions.waiting() < limits::dns_waiters)
        for (++from; auto w = l.ask("one.test", from);) held.push_back(std::move(w));
    CHECK_FALSE(l.ask("one.test", from + 1));
    held.clear();
    CHECK(l.questions.waiting() == 0);
    CHECK(l.ask("one.test", 1));
}

TEST_CASE("a question is its beginner's until it ends, also when others joined it and the beginner has gone")
{
    lab l;
    std::vector<std::unique_ptr<dns_questions::wait>> held;
    while (auto w = l.ask("n" + std::to_string(l.sent.size()) + ".test", 1)) held.push_back(std::move(w));
    const auto joined = l.ask("n0.test", 2);
    held.clear();
    CHECK(l.questions.waiting() == 1);
    CHECK_FALSE(l.ask("more.test", 1));
    l.answered("n0.test", answer(1));
    CHECK(joined->answer());
    l.answered("n1.test", answer(1));
    CHECK(l.ask("more.test", 1));
}

TEST_CASE("a question that could not be sent is not in flight and costs nobody a place")
{
    lab l;
    const auto fails = [](const std::string&, dns_questions::number) { throw std::bad_alloc{}; };
    CHECK_THROWS_AS(l.questions.ask("a.test", source(1), l.who, fails, now), std::bad_alloc);
    CHECK(l.questions.in_flight() == 0);
    CHECK(l.questions.waiting() == 0);
    CHECK(l.ask("a.test", 1));
    CHECK(l.sent.size() == 1);
}

TEST_CASE("a question may be answered before sending it returns")
{
    lab l;
    const auto at_once = [&](const std::string& name, dns_questions::number n) {
        l.questions.take(name, n, dns_half::a, answer(3), now);
        l.questions.take(name, n, dns_half::aaaa, answer(4), now);
    };
    const auto waits = l.questions.ask("a.test", source(1), l.who, at_once, now);
    REQUIRE(waits.has_value());
    REQUIRE((*waits)->answer());
    CHECK(l.questions.in_flight() == 0);
}

TEST_CASE("half an answer is handed out when its time has come, to who joins later too, and the whole one takes its place")
{
    lab l;
    const auto waits = l.ask("a.test", 1);
    CHECK_FALSE(l.half("a.test", dns_half::a, answer(7), now + 10ms));
    CHECK_FALSE(waits->answer());
    CHECK(l.questions.next_half() == now + 60ms);
    l.questions.hand_out_halves(now + 60ms - 1ns);
    CHECK_FALSE(waits->answer());
    l.questions.hand_out_halves(now + 60ms);
    CHECK_FALSE(l.questions.next_half());
    REQUIRE(waits->answer());
    CHECK(waits->answer()->addresses == std::vector{ip_address::v4(7)});
    const auto joins = l.ask("a.test", 2);
    REQUIRE(joins->answer());
    CHECK(l.sent.size() == 1);
    const auto ended = l.half("a.test", dns_half::aaaa, answer(8), now + 1s);
    REQUIRE(ended);
    CHECK(ended->answer().addresses.size() == 2);
    CHECK(ended->answer().result == dns_result::answered);
    CHECK(ended->took == 60ms);
    CHECK(waits->answer() == joins->answer());
    CHECK(joins->answer()->addresses.size() == 2);
}

TEST_CASE("halves of many questions are handed out in the order in which they came, and those that became whole are not")
{
    lab l;
    const auto a = l.ask("a.test", 1), b = l.ask("b.test", 1), c = l.ask("c.test", 1);
    l.half("c.test", dns_half::aaaa, answer(3), now);
    l.half("a.test", dns_half::a, answer(1), now + 1ms);
    l.half("b.test", dns_half::a, answer(2), now + 2ms);
    l.half("a.test", dns_half::aaaa, answer(4), now + 3ms);
    CHECK(a->answer());
    l.questions.hand_out_halves(now + 50ms);
    CHECK(c->answer());
    CHECK_FALSE(b->answer());
    CHECK(l.questions.next_half() == now + 52ms);
}

TEST_CASE("a question has one deadline, from when it was asked, and ends there with what is there")
{
    lab l;
    const auto none = l.ask("none.test", 1), half = l.ask("half.test", 1), later = l.ask("later.test", 1, now + 1s);
    l.half("half.test", dns_half::a, answer(7), now + 10ms);
    const auto joins = l.ask("none.test", 2, now + 1'999ms);
    CHECK_FALSE(l.questions.expire(now + 2s - 1ns));
    const auto first = l.questions.expire(now + 2s), second = l.questions.expire(now + 2s);
    REQUIRE((first && second));
    CHECK_FALSE(l.questions.expire(now + 2s));
    CHECK(first->answer().result == dns_result::timed_out);
    REQUIRE(joins->answer());
    CHECK(joins->answer()->failed);
    CHECK(second->answer().result == dns_result::partial);
    REQUIRE(half->answer());
    CHECK(half->answer()->addresses == std::vector{ip_address::v4(7)});
    CHECK_FALSE(l.questions.next_half());
    CHECK_FALSE(later->answer());
    CHECK(l.questions.in_flight() == 1);
}

TEST_CASE("what comes after a question's end does not reach the next question for its name")
{
    lab l;
    const auto first = l.ask("a.test", 1);
    const auto old = l.numbers["a.test"];
    REQUIRE(l.questions.expire(now + 2s));
    const auto second = l.ask("a.test", 1, now + 2s);
    CHECK_FALSE(l.questions.take("a.test", old, dns_half::a, answer(6), now + 2s));
    CHECK_FALSE(l.questions.take("a.test", old, dns_half::aaaa, answer(6), now + 2s));
    CHECK_FALSE(second->answer());
    CHECK(l.answered("a.test", answer(7), now + 2s));
    CHECK(second->answer()->addresses == std::vector{ip_address::v4(7)});
}

TEST_CASE("only sources that hold a place are remembered")
{
    source_shares shares{100};
    for (std::uint32_t i = 0; i < 1'000; ++i) REQUIRE(shares.take(source(i)));
    CHECK(shares.sources() == 0);
    CHECK(shares.taken() == 0);
    const auto one = shares.take(source(1)), two = shares.take(source(1));
    CHECK(shares.sources() == 1);
    CHECK(shares.taken() == 2);
}
