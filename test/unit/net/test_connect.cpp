// Dialling: only addresses that the decision of this moment approves, one after the other or side by side as descriptors allow.
#include "stage.hpp"

#include <exeat/check_address.hpp>
#include <net/connect.hpp>
#include <net/judge.hpp>

using namespace exeat;
using namespace exeat::net;
using namespace exeat::testing;

namespace {

constexpr std::uint32_t loopback = 0x7f000001;

// A rule that pins the given addresses of the loopback network; nobody listens but at 127.0.0.1, where `origin` does.
policy pinning(const std::vector<std::uint32_t>& addresses, std::uint16_t port)
{
    auto p = pinned("weights", {"up.test"}, port);
    p.value.addresses.clear();
    for (const auto a : addresses) p.value.addresses.push_back(ip_address::v4(a));
    return compiled({p}, {}, one_group);
}

struct dialled {
    dialled(stage& in, std::uint16_t p) : s{in}, port{p}
    {
        auto [mine, its] = socket_pair();
        client_end = std::move(mine);
        t = s.tunnel_between(std::move(its), unique_fd{}, to("up.test:" + std::to_string(port)));
        t->peer = {};
        bill.emplace(*t, request_mode::connect);
        REQUIRE(judge(*t).has_value());
    }
    ~dialled() { bill.reset(); }
    void dial(const std::vector<std::uint32_t>& addresses)
    {
        std::vector<checked_address> checked;
        for (const auto a : addresses) {
            const auto c = check_address(*t->decision.approval, ip_address::v4(a), s.at.own());
            REQUIRE(c.has_value());
            checked.push_back(*c);
        }
        run(*this, std::move(checked));
    }
    static background run(dialled& d, std::vector<checked_address> checked) { d.how = co_await connect(*d.t, std::move(checked), d.port); }

    stage& s;
    std::uint16_t port;
    unique_fd client_end;
    std::unique_ptr<tunnel> t;
    std::optional<account> bill;
    std::optional<verdict> how;
};

} // namespace

TEST_CASE("the first address that answers is the tunnel's upstream, and a refused one costs no wait")
{
    const small_origin origin;
    const std::vector<std::uint32_t> both{loopback + 1, loopback};
    stage s{pinning(both, origin.port())};
    dialled d{s, origin.port()};
    d.dial(both);
    CHECK(s.turn_until([&] { return d.how.has_value(); }));
    CHECK(d.how == verdict::allowed);
    CHECK(d.t->peer == endpoint{ip_address::v4(loopback), origin.port()});
    CHECK(s.at.count.upstream_failed[upstream_error::refused].read() == 1);
    CHECK(s.at.spare.taken() == 0);
}

TEST_CASE("what served an earlier request is closed first, and no descriptor beside the tunnel's own is needed")
{
    const small_origin origin;
    stage s{pinning({loopback}, origin.port())};
    dialled d{s, origin.port()};
    auto [far, earlier] = socket_pair();
    d.t->upstream = watched_socket{std::move(earlier), &d.t->wake};
    std::vector<descriptor_share::lease> all;
    while (auto one = s.at.spare.take(1)) all.push_back(std::move(*one));
    d.dial({loopback});
    CHECK(s.turn_until([&] { return d.how.has_value(); }));
    CHECK(d.how == verdict::allowed);
    char none = 0;
    CHECK(::recv(far.value(), &none, 1, MSG_DONTWAIT) == 0);
}

TEST_CASE("where every address refuses the verdict says so and no socket is left")
{
    const small_origin origin;
    const std::vector<std::uint32_t> all{loopback + 1, loopback + 2};
    stage s{pinning(all, origin.port())};
    dialled d{s, origin.port()};
    d.dial(all);
    CHECK(s.turn_until([&] { return d.how.has_value(); }));
    CHECK(d.how == verdict::connect_failure);
    CHECK_FALSE(d.t->upstream.fd);
    CHECK(s.at.spare.taken() == 0);
}

TEST_CASE("an address that a later list does not approve is not dialled any more")
{
    const small_origin origin;
    const std::vector<std::uint32_t> both{loopback + 1, loopback};
    stage s{pinning(both, origin.port())};
    dialled d{s, origin.port()};
    std::vector<checked_address> checked;
    for (const auto a : both) checked.push_back(*check_address(*d.t->decision.approval, ip_address::v4(a), s.at.own()));
    s.reload(pinning({loopback + 1}, origin.port())); // the tunnel is not connected yet and goes on under it
    REQUIRE(d.t->decision.allowed());
    dialled::run(d, std::move(checked));
    CHECK(s.turn_until([&] { return d.how.has_value(); }));
    CHECK(d.how == verdict::connect_failure);
    CHECK_FALSE(origin.accept());
}

TEST_CASE("a half-open connection keeps no list alive")
{
    const small_origin origin;
    stage s{pinning({loopback}, origin.port())};
    std::vector<std::weak_ptr<const policy>> lists{s.at.policy_now().rules};
    std::vector<unique_fd> clients;
    for (int i = 0; i < 8; ++i) {
        auto [mine, its] = socket_pair(); // half-open: it has said nothing yet
        clients.push_back(std::move(mine));
        auto place = s.at.admitted.enter(s.who.key);
        run_connection(std::move(its), s.who, std::move(*place), 0, s.at);
        s.turn();
        s.reload(pinning({loopback}, origin.port()));
        lists.push_back(s.at.policy_now().rules);
    }
    CHECK(std::count_if(lists.begin(), lists.end(), [](const auto& l) { return !l.expired(); }) == 1);
    clients.clear();
    CHECK(s.turn_until([&] { return s.at.live.empty(); }));
}
