// Events of an audit log to requests and the bytes they moved. A tunnel is one request, however many lines tell of it; a line of a tunnel
// whose beginning is not in the log begins it. Holds what is open and nothing else. One thread.
#pragma once

#include <ops/offline/logged_event.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

namespace exeat::ops {

class request_taker {
public:
    virtual ~request_taker() = default;
    // What it is called in moved().
    virtual std::size_t request(const logged_event&) = 0;
    virtual void moved(std::size_t request, const logged_event&, std::uint64_t upload, std::uint64_t download) = 0;
};

class logged_traffic {
public:
    // Of what came before `since` only so much is kept as is needed to tell what came after.
    logged_traffic(request_taker& to, wall_time since) : to_{to}, since_{since} {}

    void take(const logged_event&);

    std::uint64_t requests() const noexcept { return requests_; } // denials that were sampled with their weight
    std::size_t still_open() const noexcept { return open_.size(); }
    std::uint64_t untracked() const noexcept { return untracked_; } // opened beyond limits::logged_tunnels: their lines may count twice
    std::optional<wall_time> first() const noexcept { return first_; }
    std::optional<wall_time> last() const noexcept { return last_; }

private:
    struct key {
        std::uint64_t id;
        ip_address source;
        std::uint16_t port;
        bool operator==(const key&) const = default;
    };
    struct hash {
        std::size_t operator()(const key& k) const noexcept { return std::hash<std::uint64_t>{}(k.id * 0x9e3779b97f4a7c15 ^ k.port); }
    };
    struct tunnel {
        std::uint64_t upload = 0, download = 0;
        std::optional<std::size_t> request; // none before `since`
    };

    void deny(const logged_event&);
    void follow(tunnel&, const logged_event&);
    std::size_t begin(const logged_event&);

    request_taker& to_;
    wall_time since_;
    std::unordered_map<key, tunnel, hash> open_;
    std::uint64_t requests_ = 0, untracked_ = 0;
    std::optional<wall_time> first_, last_;
};

} // namespace exeat::ops
