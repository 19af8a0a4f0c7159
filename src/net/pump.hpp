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

// An empty string may still hold its buffer, and so may one that an empty one was assigned to: an idle tunnel keeps none.
inline void let_go(std::string& s) noexcept { std::string{}.swap(s); }

class pump {
public:
    // Upload is counted when it was written to the upstream, for which the account gives leave; download when it was read from there.
    enum class towards : std::uint8_t { upstream, client };
    struct ways { // what the pump shares with the others of its worker, and its book
        std::span<char> scratch;
        pipe_pool& pipes;
        account& book;
    };
    enum class state : std::uint8_t { waiting, more, done, from_failed, to_failed, spent };

    // `first` is sent before anything is read.
    pump(watched_socket& from, watched_socket& to, std::string first, towards way)
        : from_{from}, to_{to}, kept_{std::move(first)}, way_{way}
    {
        if (kept_.empty()) let_go(kept_);
    }

    // Moves what can be moved now, within limits::turn_bytes. `last`: the other direction is done, so that closing the sockets, which
    // follows, says the end; else it takes a shutdown.
    state step(const ways&, bool last);
    bool done() const noexcept { return done_; }

private:
    std::optional<state> send_kept(const ways&); // nothing: all of it is gone
    std::optional<state> copy(const ways&, std::size_t& moved);
    std::optional<state> splice(const ways&, std::size_t& moved);
    std::optional<state> put(std::string_view& bytes, account&); // takes off what was written
    std::optional<state> drain(account&);
    std::optional<state> written(io_result, std::size_t leave, account&) const noexcept;
    std::size_t leave_for(std::size_t bytes, account&) const noexcept; // how many may be written
    state without_leave(const account&) const noexcept;
    void count_read(std::size_t bytes, account&) const noexcept;

    watched_socket& from_;
    watched_socket& to_;
    std::string kept_; // copied, and not taken by `to_` yet
    std::size_t sent_ = 0;
    std::optional<splice_pipe> pipe_; // held only while bytes flow
    const towards way_;
    bool bulk_ = false;  // reads fill the buffer
    bool ended_ = false; // `from_` said FIN
    bool done_ = false;  // and `to_` was told
};

} // namespace exeat::net
