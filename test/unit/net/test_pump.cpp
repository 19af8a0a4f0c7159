// One direction of a tunnel over real sockets: bytes arrive whole and in order, by copy and by pipe, and no pipe outlives its use.
#include "stage.hpp"

#include <net/judge.hpp>
#include <net/pump.hpp>
#include <net/relay.hpp>

using namespace exeat;
using namespace exeat::net;
using namespace exeat::testing;

namespace {

// A TCP connection on the loopback interface; splice(2) and urgent data need one.
std::pair<unique_fd, unique_fd> tcp_pair(const small_origin& origin)
{
    auto to = begin_connect({ip_address::v4(0x7f000001), origin.port()});
    REQUIRE(to.has_value());
    unique_fd accepted;
    for (int i = 0; i < 2'000 && !accepted; ++i) {
        accepted = origin.accept();
        if (!accepted) ::poll(nullptr, 0, 1);
    }
    REQUIRE(accepted);
    return {std::move(*to), std::move(accepted)};
}

std::string pattern(std::size_t n)
{
    std::string out(n, '\0');
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<char>((i * 2'654'435'761u) >> 13);
    return out;
}

struct relayed {
    relayed(stage& in, const small_origin& origin) : s{in}
    {
        std::tie(client_end, client_side) = tcp_pair(origin);
        std::tie(upstream, server_end) = tcp_pair(origin);
        t = s.tunnel_between(std::move(client_side), std::move(upstream), to("up.test:" + std::to_string(origin.port())));
        bill.emplace(*t, request_mode::connect);
        REQUIRE(judge(*t).has_value());
        REQUIRE(bill->opened() == verdict::allowed);
        run(*this);
    }
    ~relayed() { bill.reset(); }
    static background run(relayed& r)
    {
        std::unique_ptr<std::string> early;
        r.how = co_await relay(*r.t, early);
    }
    // Writes all of it from one end and reads it at the other; what arrived.
    std::string through(const unique_fd& from, const unique_fd& into, const std::string& bytes)
    {
        std::string got;
        std::size_t gone = 0;
        s.turn_until([&] {
            const auto n = ::send(from.value(), bytes.data() + gone, bytes.size() - gone, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0) gone += static_cast<std::size_t>(n);
            got += read_now(into);
            return got.size() >= bytes.size() || how;
        });
        return got;
    }

    stage& s;
    unique_fd client_end, client_side, upstream, server_end;
    std::unique_ptr<tunnel> t;
    std::optional<account> bill;
    std::optional<ending> how;
};

policy open_to(const small_origin& origin)
{
    auto p = pinned("weights", {"up.test"}, origin.port());
    p.value.upload = an_hour(unlimited - 1);
    return compiled({p}, {}, one_group);
}

} // namespace

TEST_CASE("bulk arrives whole both ways, and the pipes go back when it is over")
{
    const small_origin origin;
    stage s{open_to(origin)};
    relayed r{s, origin};
    const auto bytes = pattern(8 * 1024 * 1024);
    CHECK(r.through(r.client_end, r.server_end, bytes) == bytes);
    CHECK(r.through(r.server_end, r.client_end, bytes) == bytes);
    CHECK(r.bill->bytes() == 2 * bytes.size());
    r.client_end.reset();
    r.server_end.reset();
    CHECK(s.turn_until([&] { return r.how.has_value(); }));
    CHECK(s.at.spare.taken() <= 2 * limits::idle_pipes);
}

TEST_CASE("without a descriptor left for a pipe bulk is copied and arrives all the same")
{
    const small_origin origin;
    stage s{open_to(origin)};
    relayed r{s, origin};
    const auto all = s.at.spare.take(limits::spare_descriptors);
    REQUIRE(all);
    const auto bytes = pattern(4 * 1024 * 1024);
    CHECK(r.through(r.client_end, r.server_end, bytes) == bytes);
    CHECK(s.at.spare.taken() == limits::spare_descriptors);
    r.client_end.reset();
    r.server_end.reset();
    CHECK(s.turn_until([&] { return r.how.has_value(); }));
}

TEST_CASE("an octet of urgent data stays in the stream, and what follows it flows on")
{
    const small_origin origin;
    stage s{open_to(origin)};
    for (const bool in_bulk : {false, true}) {
        CAPTURE(in_bulk);
        relayed r{s, origin};
        const auto before = pattern(in_bulk ? 4 * 1024 * 1024 : 100);
        CHECK(r.through(r.client_end, r.server_end, before) == before);
        REQUIRE(::send(r.client_end.value(), "ab!", 3, MSG_OOB | MSG_NOSIGNAL) == 3);
        std::string got;
        CHECK(s.turn_until([&] { return (got += read_now(r.server_end)).size() >= 3; }));
        CHECK(got == "ab!");
        CHECK(r.through(r.client_end, r.server_end, before) == before);
        CHECK(r.bill->bytes() == 2 * before.size() + 3);
        r.client_end.reset();
        r.server_end.reset();
        CHECK(s.turn_until([&] { return r.how.has_value(); }));
    }
}

TEST_CASE("a direction that has ended is told to the other side while the opposite one flows on")
{
    const small_origin origin;
    stage s{open_to(origin)};
    relayed r{s, origin};
    CHECK(r.through(r.client_end, r.server_end, "question") == "question");
    ::shutdown(r.client_end.value(), SHUT_WR);
    bool ended = false;
    CHECK(s.turn_until([&] { return read_now(r.server_end, &ended), ended; }));
    const auto bytes = pattern(1024 * 1024);
    CHECK(r.through(r.server_end, r.client_end, bytes) == bytes);
    r.server_end.reset();
    CHECK(s.turn_until([&] { return r.how == ending::finished; }));
}

TEST_CASE("a pool gives no more pipes than its share and takes back none that is not empty")
{
    descriptor_share share{5};
    pipe_pool pool{share};
    auto one = pool.take(), two = pool.take();
    REQUIRE(one);
    REQUIRE(two);
    CHECK_FALSE(pool.take()); // one descriptor is no pipe
    pool.give_back(std::move(*one));
    one = pool.take();
    CHECK(one);
    CHECK(share.taken() == 4);
    one.reset();
    two.reset();
    CHECK(share.taken() == 0);
}
