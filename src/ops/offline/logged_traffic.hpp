// Turns the events of an audit log into requests and the bytes that they moved. A tunnel is one request, however many lines report it; a
// line of a tunnel without an open line in the log begins it. Keeps open tunnels only. One thread.
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
    // Returns the number that identifies the request in moved().
    virtual std::size_t request(const logged_event&) = 0;
    virtual void moved(std::size_t request, const logged_event&, std::uint64_t upload, std::uint64_t download) = 0;
};

class logged_traffic {
public:
    // Of events before `since`, only what is needed to count later ones is kept.
    logged_traffic(request_taker& to, wall_time since) : to_{to}, since_{since} {}

    void take(const logged_event&);

    std::uint64_t requests() const noexcept { return requests_; } // a line that sums up requests counts as all of them
    std::size_t still_open() const noexcept { return open_.size(); }
    std::uint64_t untracked() const noexcept { return untracked_; } // opened beyond limits::logged_tunnels; their lines may count twice
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
        std::optional<std::size_t> request; // none: no line at or after `since` yet
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
