// The UDP sockets of one dns_channel. c-ares has one UDP "socket" for each server, called a line here; behind it each question is sent from
// a kernel socket of its own, and so from a random port, which is closed with the answer (RFC 5452 section 9.2). With limits::dns_ports of
// them open, a question shares one, chosen at random. Its identity is random as well: the identity from c-ares, whose generator is not
// cryptographic and may be without a seed, is never sent over UDP. The letters of each name are sent in random case. A datagram counts as
// an answer only when it comes from the question's server to the question's port, with its identity and its exact octets. An answer that is
// wrong only in the case of letters comes from a server that does not preserve it, or is forged: c-ares gets a truncated answer instead and
// asks again over TCP. So an attacker who forges answers from elsewhere has to guess the identity, the port and one bit for each letter.
// One thread.
#pragma once

#include <exeat/limits.hpp>
#include <net/sockets/unique_fd.hpp>

#include <array>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unordered_map>

namespace exeat::net {

class dns_ports {
public:
    using moment = std::chrono::steady_clock::time_point;

    // Throws std::system_error. A question without an answer ends after `life`.
    explicit dns_ports(std::chrono::milliseconds life);
    void share_among(std::size_t servers) noexcept; // each server may use its part of limits::dns_ports

    // Like the system calls: -1 and errno.
    int open() noexcept; // returns a line; no descriptor has such a number
    int connect(int line, const sockaddr*, socklen_t) noexcept;
    ssize_t send(int line, std::string_view query, moment now) noexcept;
    ssize_t receive(int line, std::span<char> room, sockaddr* from, socklen_t* size) noexcept;
    void close(int line) noexcept;
    static bool is_line(int fd) noexcept { return fd >= first_line; }

    int events() const noexcept { return events_.value(); } // readable when a port is
    // Begins a turn, which reads at most limits::dns_datagrams_per_turn datagrams, and calls receive_at(line) for each line that has some.
    template <class Receive> void turn(Receive&& receive_at)
    {
        const auto has = readable();
        for (std::size_t of = 0; of < has.size(); ++of)
            if (has[of]) receive_at(first_line + static_cast<int>(of));
    }
    void expire(moment now) noexcept;
    std::size_t open_ports() const noexcept;

private:
    static constexpr int first_line = 1 << 30;
    struct line {
        bool open = false;
        sockaddr_storage server{};
        socklen_t size = 0;
    };
    struct port {
        unique_fd fd;
        std::size_t of = 0;        // the line
        std::size_t open = 0;      // questions that wait here
        std::size_t questions = 0; // since it was opened
        bool readable = false;
    };
    struct question {
        std::size_t at = 0;         // the port
        std::uint16_t identity = 0; // as sent
        moment ends;
        std::string octets; // as sent: name in random case, type, class
    };
    // Key: the line, the identity from c-ares, and name, type and class in lower case; c-ares 1.18 may give two questions one identity.
    struct hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const noexcept { return std::hash<std::string_view>{}(key); }
    };
    using questions = std::unordered_map<std::string, question, hash, std::equal_to<>>;

    std::bitset<limits::dns_servers> readable() noexcept;
    ssize_t send_in_memory(std::size_t of, std::string_view query, moment now);
    port* choose(std::size_t of) noexcept;
    bool connect_new(port&, std::size_t of) noexcept;
    ssize_t take(port&, std::span<char> room) noexcept;
    ssize_t accept(const port&, std::span<char> datagram) noexcept;
    std::optional<questions::iterator> begin(std::string key, question);
    questions::iterator end(questions::iterator) noexcept;
    void end_everywhere(std::string_view key) noexcept;

    const std::chrono::milliseconds life_;
    std::size_t ports_per_line_ = limits::dns_ports;
    std::size_t turn_ = 0; // datagrams that may still be read in this turn
    unique_fd events_;
    std::array<line, limits::dns_servers> lines_;
    std::array<port, limits::dns_ports> ports_;
    questions questions_;
    std::unordered_map<std::uint16_t, std::string_view> sent_; // the key of each question by its identity as sent
};

} // namespace exeat::net
