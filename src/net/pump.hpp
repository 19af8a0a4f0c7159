// One direction of a tunnel. Small messages are copied through the worker's scratch buffer in one read and one write; when reads fill the
// buffer the pump goes over to splice(2) and back again when they no longer do. Between steps it holds nothing but what the receiver has
// not taken yet. Worker's thread.
#pragma once

#include <net/account.hpp>
#include <net/send.hpp>
#include <net/sockets/splice_pipe.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace exeat::net {

// An empty string may still hold its buffer, and so may one that an empty one was assigned to: an idle tunnel keeps none.
class pump {
public:
    // Upload goes through send_upstream(), which counts it; download is counted when it was read from the upstream.
    enum class towards : std::uint8_t { upstream, client };
    struct ways { // what the pump shares with the others of its worker, and its account
        std::span<char> scratch;
        pipe_pool& pipes;
        account& bill;
    };
    // held: by the gate, which wakes the tunnel when it gives again.
    enum class state : std::uint8_t { waiting, held, more, done, from_failed, to_failed, spent };

    // `first` is sent before anything is read.
    pump(watched_socket& from, watched_socket& to, std::string first, towards way) : from_{from}, to_{to}, way_{way}
    {
        if (!first.empty()) keep(std::move(first));
    }

    // Moves what can be moved now, within limits::turn_bytes. `last`: the other direction is done, so that closing the sockets, which
    // follows, says the end; else it takes a shutdown.
    state step(const ways&, bool last);
    bool done() const noexcept { return done_; }

private:
    struct kept_bytes {
        std::string all;
        std::size_t sent = 0; // of them
    };
    void keep(std::string bytes) { kept_ = std::make_unique<kept_bytes>(kept_bytes{std::move(bytes)}); }
    std::optional<state> send_kept(const ways&); // nothing: all of it is gone
    std::optional<state> copy(const ways&, std::size_t& moved);
    std::optional<state> splice(const ways&, std::size_t& moved);
    sent put(std::string_view bytes, account&) noexcept;
    sent drain(account&) noexcept;
    static std::optional<state> stop_for(sent::how) noexcept;
    void count_read(std::size_t bytes, account&) const noexcept;

    watched_socket& from_;
    watched_socket& to_;
    std::unique_ptr<kept_bytes> kept_; // copied, and not taken by `to_` yet; null: nothing is
    std::optional<splice_pipe> pipe_;  // held only while bytes flow
    const towards way_;
    bool bulk_ = false;  // reads fill the buffer
    bool ended_ = false; // `from_` said FIN
    bool done_ = false;  // and `to_` was told
};

} // namespace exeat::net
