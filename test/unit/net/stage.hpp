// The means of a worker without its thread: tunnels and their stages run over socket pairs, and the test turns the event loop by hand.
#pragma once

#include "../core/small_policy.hpp"

#include <net/sockets/unique_fd.hpp>
#include <net/stage_context.hpp>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace exeat::testing {

inline std::pair<net::unique_fd, net::unique_fd> socket_pair()
{
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    return {net::unique_fd{fds[0]}, net::unique_fd{fds[1]}};
}

// What can be read now, without waiting. `ended` when the peer has finished or reset.
inline std::string read_now(const net::unique_fd& fd, bool* ended = nullptr)
{
    std::string out;
    char bytes[4096];
    for (;;) {
        const auto n = ::recv(fd.value(), bytes, sizeof bytes, MSG_DONTWAIT);
        if (n > 0) {
            out.append(bytes, static_cast<std::size_t>(n));
            continue;
        }
        if (ended != nullptr && (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))) *ended = true;
        return out;
    }
}

inline bool write_now(const net::unique_fd& fd, std::string_view bytes)
{
    return ::send(fd.value(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(bytes.size());
}

// A server's listening socket on the loopback interface, which a rule may pin.
class small_origin {
public:
    small_origin() : listening_{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)}
    {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(listening_.value(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
        REQUIRE(::listen(listening_.value(), 64) == 0);
        socklen_t size = sizeof at;
        REQUIRE(::getsockname(listening_.value(), reinterpret_cast<sockaddr*>(&at), &size) == 0);
        port_ = ntohs(at.sin_port);
    }
    std::uint16_t port() const noexcept { return port_; }
    net::unique_fd accept() const { return net::unique_fd{::accept4(listening_.value(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)}; }

private:
    net::unique_fd listening_;
    std::uint16_t port_ = 0;
};

class stage {
public:
    explicit stage(policy first, config with = {}) : settings{std::move(with)}, shared{share(std::move(first))}, at{0, shared, io, *ring}
    {
        shared.rules.reset(); // as in the product: only the list in force is kept
        at.adopt(at.policy_now());
        at.events.start();
    }
    ~stage()
    {
        for (int i = 0; i < 100 && !at.live.empty(); ++i) { // as a worker ends: every tunnel is cut, and has had its time
            for (auto& t : at.live) t.interrupt({ending::stopped, verdict::overload});
            pass(std::chrono::hours{24});
            turn();
        }
        at.names.stop();
        at.events.stop();
        turn();
    }

    // Runs what is ready, until nothing is.
    void turn()
    {
        io.restart();
        for (int i = 0; i < 1'000 && io.poll() > 0; ++i) io.restart();
    }
    // Turns until `done`, with one sweep a turn so that deadlines pass; false after many turns.
    bool turn_until(const std::function<bool()>& done)
    {
        for (int i = 0; i < 2'000; ++i) {
            turn();
            if (done()) return true;
            ::poll(nullptr, 0, 1); // the kernel's own work: a connection on the loopback interface
        }
        return false;
    }
    void pass(std::chrono::milliseconds time) // deadlines only
    {
        swept += net::ticks(time);
        at.due.sweep(swept);
        at.throttled.wake();
    }
    void reload(policy next) { at.adopt({std::make_shared<const policy>(std::move(next)), at.policy_now().generation + 1}); }

    // A tunnel that is already connected on both sides, with an account that is open: what the relay and its like begin with.
    std::unique_ptr<net::tunnel> tunnel_between(net::unique_fd client_side, net::unique_fd upstream, const target& asked)
    {
        auto place = at.admitted.enter(who.source);
        REQUIRE(place);
        auto t = std::make_unique<net::tunnel>(std::move(client_side), who, std::move(*place), 0, at);
        t->upstream = net::watched_socket{std::move(upstream), &t->wake};
        t->peer = {ip_address::v4(0x7f000001), asked.port};
        t->to = asked;
        return t;
    }

    std::vector<net::audit_record> logged() // since the last call
    {
        std::vector<net::audit_record> out;
        for (; ring->front() != nullptr; ring->pop()) out.push_back(*ring->front());
        return out;
    }

    config settings;
    boost::asio::io_context io{1};
    net::admission admitted{1'000, 1'000};
    net::client_rates rates{settings.rates, limits::audit_lines};
    name_budget names{1, net::budget_now(), false};
    budget_book uploads{1, net::budget_now(), {}};
    new_host_budgets new_hosts{1, 8 * 1024 * 1024};
    std::atomic<bool> healthy{true};
    std::unique_ptr<net::audit_ring> ring = std::make_unique<net::audit_ring>();
    client who = known_as(*ip_address::parse("10.1.0.7"), 4711, whole_address);
    net::tick swept = 0;
    net::worker_shared shared;
    net::stage_context at;

private:
    net::worker_shared share(policy first)
    {
        if (settings.listeners.empty()) settings.listeners.push_back({listen_mode::proxy, {}});
        if (settings.dns_servers.empty()) settings.dns_servers = {{ip_address::v4(0x7f000001), 9}}; // nobody answers there
        return {settings,
                admitted,
                rates,
                names,
                uploads,
                new_hosts,
                {},
                healthy,
                std::make_shared<const policy>(std::move(first)),
                1,
                {},
                limits::spare_descriptors,
                false,
                settings.dns_servers};
    }
};

inline const std::vector<group> one_group{{"training", {*ip_prefix::parse("10.1.0.0/16")}, 1, 0}};

// A private_link that is pinned to the loopback interface: what a test may dial.
inline entry pinned(std::string name, std::vector<std::string> hosts, std::uint16_t port)
{
    auto e = linked(std::move(name), std::move(hosts));
    e.value.ports = {port};
    e.value.addresses = {ip_address::v4(0x7f000001)};
    e.value.within = {*ip_prefix::parse("127.0.0.0/8")};
    e.value.slot = 2;
    return e;
}

inline upload_limits an_hour(std::uint64_t bytes)
{
    upload_limits out;
    out.most[budget_window::hour] = bytes;
    return out;
}

} // namespace exeat::testing
