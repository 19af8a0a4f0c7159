// The places of the admin listener's connections, a fixed number. A peer may take another one while it holds fewer than are free, and
// beyond that the one of its own that has waited longest for a request closes. When all are taken, that of the peer with the most of them
// does. So whoever holds connections open, however many, makes nobody wait: a scrape always has a place. One thread.
#pragma once

#include <exeat/ip_address.hpp>

#include <cstddef>
#include <functional>
#include <list>

namespace exeat::ops {

class admin_places {
    struct guest {
        ip_address peer;
        std::function<void()> close;
        bool waiting = true; // for its next request, or for the rest of it
        bool sent_off = false;
    };
    using guests = std::list<guest>;

public:
    explicit admin_places(std::size_t most) noexcept : most_{most} {}

    // One connection's; gives itself back. It is there to be had: make_room() has just said so.
    class place {
    public:
        place(admin_places& home, const ip_address& peer, std::function<void()> close);
        ~place() { home_.guests_.erase(at_); }
        place(const place&) = delete;
        place& operator=(const place&) = delete;
        void waits() noexcept; // from now on, and so it may be closed
        void is_served() noexcept { at_->waiting = false; }

    private:
        admin_places& home_;
        guests::iterator at_;
    };

    // Whether the peer may have one more, once another connection was closed for it where that must be.
    bool make_room(const ip_address& peer);
    void close_all();

private:
    std::size_t held() const noexcept;
    std::size_t held_by(const ip_address& peer) const noexcept;
    bool send_off(const ip_address& peer, bool only_his);

    const std::size_t most_;
    guests guests_; // who has waited longest comes first
};

} // namespace exeat::ops
