// One direction of a tunnel. Small messages are copied through the worker's scratch buffer in one read and one write; when reads fill the
// buffer the pump goes over to splice(2) and back again when they no longer do. Between steps it holds nothing but what the receiver has
// not taken yet. Worker's thread.
#pragma once

#include <net/account.hpp>
#include <net/splice_pipe.hpp>

#include <optional>
#include <span>
#include <string>

namespace exeat::net {

class pump {
public:
    using added = void (account::*)(std::size_t) noexcept;
    struct ways { // what the pump shares with the others of its worker, and its book
        std::span<char> scratch;
        pipe_pool& pipes;
        account& book;
    };
    enum class state : std::uint8_t { waiting, more, done, from_failed, to_failed };

    // `first` is sent before anything is read. `read` and `written` add to the book what came from `from` and went to `to`; either may be
    // null.
    pump(watched_socket& from, watched_socket& to, std::string first, added read, added written)
        : from_{from}, to_{to}, kept_{std::move(first)}, read_{read}, written_{written}
    {}

    // Moves what can be moved now, within limits::turn_bytes. `last`: the other direction is done, so that closing the sockets, which
    // follows, says the end; else it takes a shutdown.
    state step(const ways&, bool last);
    bool done() const noexcept { return done_; }

private:
    std::optional<state> send_kept(const ways&); // nothing: all of it is gone
    std::optional<state> copy(const ways&, std::size_t& moved);
    std::optional<state> splice(const ways&, std::size_t& moved);
    std::optional<std::size_t> put(std::string_view bytes, account&);

    watched_socket& from_;
    watched_socket& to_;
    std::string kept_; // copied, and not taken by `to_` yet
    std::size_t sent_ = 0;
    std::optional<splice_pipe> pipe_; // held only while bytes flow
    const added read_, written_;
    bool bulk_ = false;  // reads fill the buffer
    bool ended_ = false; // `from_` said FIN
    bool done_ = false;  // and `to_` was told
};

} // namespace exeat::net
