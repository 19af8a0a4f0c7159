// The fixed number of places for the admin listener's connections. A peer may take another place while it holds fewer than are free; beyond
// that, its own connection that has waited longest for a request is closed. When all places are taken, the longest-waiting connection of
// the peer that holds the most is closed. A peer that holds many connections open can therefore never delay another: a scrape always gets a
// place. One thread.
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
        bool waiting = true; // waits for its next request or for the rest of one
        bool sent_off = false;
    };
    using guests = std::list<guest>;

public:
    explicit admin_places(std::size_t most) noexcept : most_{most} {}

    // The place of one connection, freed by the destructor. May be constructed only when make_room() has just returned true.
    class place {
    public:
        place(admin_places& home, const ip_address& peer, std::function<void()> close);
        ~place() { home_.guests_.erase(at_); }
        place(const place&) = delete;
        place& operator=(const place&) = delete;
        void waits() noexcept; // waits from now on, and may be closed
        void is_served() noexcept { at_->waiting = false; }

    private:
        admin_places& home_;
        guests::iterator at_;
    };

    // Whether the peer may take one more place; closes another connection for it if necessary.
    bool make_room(const ip_address& peer);
    void close_all();

private:
    std::size_t held() const noexcept;
    std::size_t held_by(const ip_address& peer) const noexcept;
    bool send_off(const ip_address& peer, bool only_his);

    const std::size_t most_;
    guests guests_; // the longest-waiting one first
};

} // namespace exeat::ops
