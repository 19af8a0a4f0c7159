// A DNS server on loopback that its test serves by hand: on loopback a datagram is there when the call that sent it returns.
#pragma once

#include <net/sockets/unique_fd.hpp>

#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace exeat::net {

struct asked_question {
    sockaddr_in from{};
    std::string packet;

    std::uint16_t port() const { return ntohs(from.sin_port); }
    std::string_view octets() const { return std::string_view{packet}.substr(12, packet.find('\0', 12) + 5 - 12); }
    std::string_view name() const { return octets().substr(0, octets().size() - 4); } // labels, as on the wire
    bool aaaa() const { return octets()[octets().size() - 3] == 28; }
    // One A record, or none for AAAA; `echoed` is the question that the answer repeats.
    std::string answer(std::string_view echoed) const
    {
        std::string out = packet.substr(0, 2) + std::string{"\x81\x80\0\1\0", 5} + (aaaa() ? '\0' : '\1') + std::string(4, '\0');
        out += echoed;
        if (!aaaa()) out += std::string{"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x5d\xb8\xd8\1", 16};
        return out;
    }
    std::string answer() const { return answer(octets()); }
};

class loopback_dns {
public:
    loopback_dns()
    {
        for (int left = 100; !tcp_; --left) { // somebody may have the port that the kernel gave, over TCP
            udp_ = bound(SOCK_DGRAM, 0);
            tcp_ = bound(SOCK_STREAM, port());
            if (!tcp_ && left == 0) throw std::runtime_error{"no port on loopback"};
        }
        ::listen(tcp_.value(), 8);
        const int room = 4 << 20;
        ::setsockopt(udp_.value(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    }
    std::uint16_t port() const { return ntohs(address().sin_port); }
    sockaddr_in address() const
    {
        sockaddr_in at{};
        socklen_t size = sizeof at;
        ::getsockname(udp_.value(), reinterpret_cast<sockaddr*>(&at), &size);
        return at;
    }
    std::vector<asked_question> asked() const // since the last look
    {
        std::vector<asked_question> all;
        for (std::array<char, 600> room;;) {
            asked_question q;
            socklen_t size = sizeof q.from;
            const auto n = ::recvfrom(udp_.value(), room.data(), room.size(), 0, reinterpret_cast<sockaddr*>(&q.from), &size);
            if (n < 17) return all;
            q.packet.assign(room.data(), static_cast<std::size_t>(n));
            all.push_back(std::move(q));
        }
    }
    void send(const sockaddr_in& to, std::string_view packet) const
    {
        ::sendto(udp_.value(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    bool was_dialled() const { return unique_fd{::accept4(tcp_.value(), nullptr, nullptr, SOCK_CLOEXEC)}.value() >= 0; }

private:
    static unique_fd bound(int type, std::uint16_t port)
    {
        unique_fd fd{::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(port);
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(fd.value(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) return {};
        return fd;
    }
    unique_fd udp_, tcp_;
};

} // namespace exeat::net
