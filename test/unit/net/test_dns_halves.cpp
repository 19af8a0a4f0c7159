// When A and AAAA are an answer, together and alone, and how long servers are waited for.
#include <exeat/limits.hpp>
#include <net/dns/dns_halves.hpp>
#include <net/dns/dns_tries.hpp>

#include <doctest/doctest.h>

using namespace exeat;
using namespace exeat::net;
using namespace std::chrono_literals;

namespace {

const auto now = dns_halves::moment{} + 1h;
constexpr std::array both{dns_half::a, dns_half::aaaa};

dns_answer with(std::size_t addresses, std::chrono::seconds ttl = 60s)
{
    dns_answer a;
    for (std::size_t i = 0; i < addresses; ++i) a.addresses.push_back(ip_address::v4(0x5db8d800 + static_cast<std::uint32_t>(i)));
    a.ttl = ttl;
    return a;
}

dns_half other(dns_half h) { return h == dns_half::a ? dns_half::aaaa : dns_half::a; }

} // namespace

TEST_CASE("both halves are an answer at once, and its life is the shorter one's")
{
    for (const auto first : both) {
        dns_halves h;
        h.take(first, with(2, 7s), now);
        CHECK_FALSE(h.complete());
        h.take(other(first), with(3, 5s), now + 1ms);
        CHECK(h.complete());
        CHECK_FALSE(h.usable_alone());
        CHECK(h.joined().addresses.size() == 5);
        CHECK(h.joined().ttl == 5s);
        CHECK(h.joined().result == dns_result::answered);
    }
}

TEST_CASE("a half with addresses is an answer by itself 50 ms after it came (RFC 8305), whichever of the two it is")
{
    for (const auto first : both) {
        dns_halves h;
        CHECK_FALSE(h.usable_alone());
        h.take(first, with(1, 9s), now);
        CHECK_FALSE(h.complete());
        CHECK(h.usable_alone() == now + 50ms);
        const auto half = h.joined();
        CHECK_FALSE(half.failed);
        CHECK(half.addresses.size() == 1);
        CHECK(half.ttl == 9s);
        CHECK(half.result == dns_result::partial);
    }
}

TEST_CASE("a half without addresses is no answer and waits for the other one")
{
    for (const auto first : both)
        for (const auto why :
             {dns_result::no_data, dns_result::no_such_name, dns_result::failed, dns_result::refused, dns_result::timed_out}) {
            dns_halves h;
            h.take(first, failed_answer(why), now);
            CHECK_FALSE(h.complete());
            CHECK_FALSE(h.usable_alone());
            h.take(other(first), with(1), now + 1s);
            CHECK(h.complete());
            CHECK_FALSE(h.joined().failed);
            CHECK(h.joined().result ==
                  (why == dns_result::no_data || why == dns_result::no_such_name ? dns_result::answered : dns_result::partial));
        }
}

TEST_CASE("what failed twice says the more telling of two reasons, and what never came has timed out")
{
    using enum dns_result;
    const auto said = [](dns_result a, dns_result aaaa) {
        dns_halves h;
        h.take(dns_half::a, failed_answer(a), now);
        h.take(dns_half::aaaa, failed_answer(aaaa), now);
        CHECK(h.joined().failed);
        return h.joined().result;
    };
    CHECK(said(no_data, no_data) == no_data);
    CHECK(said(no_data, failed) == failed);
    CHECK(said(no_such_name, no_such_name) == no_such_name);
    CHECK(said(no_such_name, no_data) == no_data); // it is there, whatever the other server said
    CHECK(said(no_data, no_such_name) == no_data);
    CHECK(said(no_such_name, timed_out) == timed_out);
    CHECK(said(timed_out, no_data) == timed_out);
    CHECK(said(refused, timed_out) == refused);
    dns_halves none, half;
    CHECK(none.joined().result == timed_out);
    half.take(dns_half::aaaa, failed_answer(no_data), now);
    CHECK(half.joined().result == timed_out);
}

TEST_CASE("an answer has so many addresses in both halves together, and one more refuses all of them")
{
    for (const auto first : both) {
        dns_halves h, more;
        h.take(first, with(limits::dns_addresses - 1), now);
        h.take(other(first), with(1), now);
        CHECK(h.joined().addresses.size() == limits::dns_addresses);
        more.take(first, with(limits::dns_addresses), now);
        more.take(other(first), with(1), now);
        CHECK(more.joined().failed);
        CHECK(more.joined().addresses.empty());
        CHECK(more.joined().result == dns_result::too_many);
    }
}

TEST_CASE("a half with too many addresses ends the question, and the other one is no answer beside it")
{
    for (const auto first : both) {
        dns_halves h, late;
        h.take(first, failed_answer(dns_result::too_many), now);
        CHECK(h.complete());
        CHECK(h.joined().result == dns_result::too_many);
        late.take(other(first), with(1), now);
        REQUIRE(late.usable_alone());
        late.take(first, failed_answer(dns_result::too_many), now + 1s);
        CHECK(late.complete());
        CHECK_FALSE(late.usable_alone());
        CHECK(late.joined().failed);
    }
}

TEST_CASE("all tries at all servers fit in the time for a question, late sweeps included, wherever it leaves time for a sweep at each")
{
    for (const auto whole : {500ms, 1'000ms, 2'000ms, 10'000ms, 60'000ms})
        for (std::size_t servers = 1; servers <= limits::dns_servers; ++servers) {
            CAPTURE(whole.count());
            CAPTURE(servers);
            const auto plan = plan_tries(whole, servers);
            std::chrono::milliseconds all = 0ms;
            for (int round = 0; round < plan.rounds; ++round) all += servers * (plan.first * (1 << round) + limits::sweep_interval);
            CHECK(plan.first >= 1ms);
            if (whole >= servers * (limits::sweep_interval + 1ms)) CHECK(all <= whole);
        }
    CHECK(plan_tries(2s, 1).rounds == 2);
    CHECK(plan_tries(2s, 3).rounds == 2);
    CHECK(plan_tries(2s, 8).rounds == 1);
    CHECK(plan_tries(1ms, 8).first == 1ms);
}
