// One direction of a tunnel. Small messages are copied through the worker's scratch buffer in one read and one write; when reads fill the
// buffer, the pump switches to splice(2), and back when they no longer do. Between steps it keeps only the bytes that the receiver has not
// accepted yet. Worker's thread.
#pragma once

#include <net/account.hpp>
#include <net/send.hpp>
#include <net/sockets/splice_pipe.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace exeat::net {

// Kept bytes are behind a pointer: even an empty string may own a buffer, and an idle tunnel must not keep one.
class pump {
public:
    // Upload is sent and counted by send_upstream(); download is counted when it is read from the upstream.
    enum class towards : std::uint8_t { upstream, client };
    struct ways { // shared with the other pumps of the worker, except for the account
        std::span<char> scratch;
        pipe_pool& pipes;
        account& bill;
    };
    // held: the gate or the audit log lets nothing through now; the tunnel is woken when it may send again.
    enum class state : std::uint8_t { waiting, held, more, done, from_failed, to_failed, spent };

    // `first` is sent before anything is read.
    pump(watched_socket& from, watched_socket& to, std::string first, towards way) : from_{from}, to_{to}, way_{way}
    {
        if (!first.empty()) keep(std::move(first));
    }

    // Moves what can be moved now, within limits::turn_bytes. `last`: the other direction is done, so closing the sockets, which follows,
    // ends the stream; otherwise the stream is ended by a shutdown.
    state step(const ways&, bool last);
    bool done() const noexcept { return done_; }

private:
    struct kept_bytes {
        std::string all;
        std::size_t sent = 0; // bytes of `all` already sent
    };
    void keep(std::string bytes) { kept_ = std::make_unique<kept_bytes>(kept_bytes{std::move(bytes)}); }
    std::optional<state> send_kept(const ways&); // nullopt: everything is sent
    std::optional<state> copy(const ways&, std::size_t& moved);
    std::optional<state> splice(const ways&, std::size_t& moved);
    sent put(std::string_view bytes, account&) noexcept;
    sent drain(account&) noexcept;
    static std::optional<state> stop_for(sent::how) noexcept;
    void count_read(std::size_t bytes, account&) const noexcept;

    watched_socket& from_;
    watched_socket& to_;
    std::unique_ptr<kept_bytes> kept_; // copied, but not accepted by `to_` yet; null: none
    std::optional<splice_pipe> pipe_;  // held only while bytes flow
    const towards way_;
    bool bulk_ = false;  // reads fill the buffer
    bool ended_ = false; // `from_` has sent FIN
    bool done_ = false;  // the end was passed on to `to_`
};

} // namespace exeat::net
