// DNS answers, from the wire to checked addresses: the product's own channel asks a server that answers with the input. The input is two
// answers (to A and to AAAA) without what only the question knows: two octets of length, then for each the ten octets of the header behind
// the ID and what stands behind the question.
#include "property.hpp"

#include <exeat/address_class.hpp>
#include <exeat/check_address.hpp>
#include <exeat/limits.hpp>
#include <exeat/policy.hpp>
#include <exeat/policy_builder.hpp>
#include <net/dns/dns_channel.hpp>
#include <net/sockets/unique_fd.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <utility>
#include <vector>

using namespace exeat;
using namespace exeat::fuzz;
using net::dns_answer;
using net::dns_result;

namespace {

// A DNS server on loopback that this thread serves itself: on loopback a datagram is there when the call that sent it returns.
class server {
public:
    server() : fd_{::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)}
    {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        must(::bind(fd_.value(), reinterpret_cast<sockaddr*>(&at), size) == 0, "a server can be bound");
        must(::getsockname(fd_.value(), reinterpret_cast<sockaddr*>(&at), &size) == 0, "and has a port");
        port_ = ntohs(at.sin_port);
    }
    std::uint16_t port() const noexcept { return port_; }

    // Answers every question that has come; false when there was none.
    bool serve(std::string_view a, std::string_view aaaa)
    {
        std::array<char, 512> room;
        bool any = false;
        for (;;) {
            sockaddr_in from{};
            socklen_t size = sizeof from;
            const auto n = ::recvfrom(fd_.value(), room.data(), room.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
            if (n < static_cast<ssize_t>(header + 5)) return any;
            const auto reply = reply_to({room.data(), static_cast<std::size_t>(n)}, a, aaaa);
            ::sendto(fd_.value(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
            any = true;
        }
    }

private:
    static constexpr std::size_t header = 12, id = 2;

    static std::string reply_to(std::string_view query, std::string_view a, std::string_view aaaa)
    {
        const auto type_at = query.find('\0', header) + 2;
        const auto question = query.substr(header, type_at + 3 - header);
        const auto in = query[type_at] == 28 ? aaaa : a;
        std::string out{query.substr(0, id)};
        out += in.substr(0, header - id);
        return (out += question) += in.substr(std::min(in.size(), header - id));
    }

    net::unique_fd fd_;
    std::uint16_t port_ = 0;
};

class asker {
public:
    dns_answer ask(std::string_view a, std::string_view aaaa)
    {
        if (!channel_) channel_.emplace(io_, servers_, std::chrono::hours{1}); // nothing here waits for the time-out
        net::dns_halves halves;
        std::array<bool, 2> came{};
        channel_->ask("www.ok.test", [&](net::dns_half which, dns_answer got) {
            must(!std::exchange(came[static_cast<std::size_t>(which)], true), "each half of a question is answered once");
            halves.take(which, std::move(got), {});
        });
        const auto both = [&came] { return came[0] && came[1]; };
        for (int rounds = 0; !both() && rounds < 16; ++rounds) {
            const bool asked = server_.serve(a, aaaa);
            io_.restart();
            if (io_.poll() == 0 && !asked) break;
        }
        if (!both()) give_up();
        must(both(), "every question has an end");
        return halves.joined();
    }

private:
    void give_up()
    {
        channel_->stop();
        channel_.reset();
        io_.restart();
        io_.poll();
    }

    server server_;
    const std::vector<endpoint> servers_{{ip_address::v4(INADDR_LOOPBACK), server_.port()}};
    boost::asio::io_context io_;
    std::optional<net::dns_channel> channel_;
};

struct world {
    policy rules;
    target to = *parse_authority("www.ok.test:443", approach::tunnel);
    client who;
    world()
    {
        policy_builder b;
        b.add_group({"all", {}, 0});
        rule r;
        r.ports = {443};
        b.add_host(b.add_rule(r), *host_pattern::parse("www.ok.test"));
        rules = std::move(b).finish({});
        who.groups.set(0);
    }
};

bool stands_in(const ip_address& a, std::string_view wire)
{
    const std::string_view octets{reinterpret_cast<const char*>(a.octets.data()), a.octets.size()};
    return wire.find(octets) != wire.npos || (a.is_v4() && wire.find(octets.substr(12)) != wire.npos);
}

void check(const dns_answer& answer, std::string_view wire, const world& w)
{
    must(answer.failed == (answer.result != dns_result::answered && answer.result != dns_result::partial),
         "an answer is one, or a failure");
    must(answer.failed == answer.addresses.empty(), "a failure has no addresses");
    must(answer.ttl <= limits::dns_ttl_ceiling, "no answer is kept for longer than the ceiling");
    if (answer.failed) return;
    must(!answer.addresses.empty() && answer.addresses.size() <= limits::dns_addresses, "an answer has addresses, within the bound");
    const auto leave = decide(w.who, w.to, w.rules, {}).approval;
    must(leave.has_value(), "the name is allowed");
    for (const auto& a : answer.addresses) {
        must(stands_in(a, wire), "every address was in the answer");
        must(check_address(*leave, a, {}).has_value() == (classify(a) == address_class::global), "only a public address may be dialled");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::size_t length = 2;
    static const world w;
    static asker asks;
    if (size < length) return 0;
    const auto in = text(data, size).substr(length);
    const auto first = std::min<std::size_t>(std::size_t{data[0]} << 8 | data[1], in.size());
    check(asks.ask(in.substr(0, first), in.substr(first)), in, w);
    return 0;
}
