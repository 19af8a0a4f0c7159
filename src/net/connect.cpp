#include <net/connect.hpp>

#include <exeat/check_address.hpp>
#include <net/sockets/socket.hpp>
#include <net/stage_context.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <memory>

namespace exeat::net {

namespace {

// The first attempt uses the tunnel's own socket, so nothing is moved when there is only one address or the first one answers.
struct attempt {
    watched_socket* socket;
    endpoint to;
    std::unique_ptr<watched_socket> later;        // its address must not change once watched
    std::optional<descriptor_share::lease> lease; // only for later attempts
};

bool ours(int error) noexcept // not the destination's fault: this machine has run out of something
{
    return error == EADDRNOTAVAIL || error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EAGAIN;
}

upstream_error kind_of(int error) noexcept
{
    if (ours(error)) return upstream_error::no_resources;
    switch (error) {
    case ECONNREFUSED: return upstream_error::refused;
    case ETIMEDOUT: return upstream_error::timed_out;
    case ECONNRESET: return upstream_error::reset;
    case EACCES: // refused by this machine
    case ENETUNREACH:
    case EHOSTUNREACH: return upstream_error::unreachable;
    default: return upstream_error::other;
    }
}

// IPv6 first, then the families in turn (RFC 8305 section 4).
void interleave(std::vector<checked_address>& all)
{
    std::stable_partition(all.begin(), all.end(), [](const auto& a) { return !a.address().is_v4(); });
    const auto v4 = std::find_if(all.begin(), all.end(), [](const auto& a) { return a.address().is_v4(); });
    std::vector<checked_address> mixed;
    mixed.reserve(all.size());
    for (auto six = all.begin(), four = v4; six != v4 || four != all.end();) {
        if (six != v4) mixed.push_back(*six++);
        if (four != all.end()) mixed.push_back(*four++);
    }
    all = std::move(mixed);
}

class race {
public:
    race(tunnel& t, const std::vector<checked_address>& to, std::uint16_t port) : t_{t}, to_{to}, port_{port}
    {
        t_.upstream = watched_socket{{}, &t_.wake}; // the connection of an earlier request is not an attempt
    }
    race(const race&) = delete;
    race& operator=(const race&) = delete;
    ~race()
    {
        if (!won_) t_.upstream = watched_socket{{}, &t_.wake}; // an unfinished attempt must not stay in the tunnel
    }

    bool idle() const noexcept { return running_.empty(); }
    bool more_to_try() const noexcept { return next_ < to_.size(); }
    verdict why() const noexcept { return ours(error_) ? verdict::overload : verdict::connect_failure; }

    void start_next()
    {
        const endpoint to{to_[next_++].address(), port_};
        // Since the address was checked, a later list or a new address of this machine may have revoked its approval.
        if (!check_address(*t_.decision.approval, to.address, t_.home.own())) return failed(EACCES);
        attempt a{&t_.upstream, to, nullptr, std::nullopt};
        if (t_.upstream.fd) {
            a.lease = t_.home.spare.take(1);
            if (!a.lease) return replace_oldest(to);
            a.later = std::make_unique<watched_socket>();
            a.socket = a.later.get();
        }
        start(std::move(a));
    }

    // True when an attempt has connected. Failed attempts are removed.
    bool finished()
    {
        for (auto a = running_.begin(); a != running_.end();) {
            if (a->socket->writable && !a->socket->broken) return take(*a);
            if (!a->socket->broken) {
                ++a;
                continue;
            }
            failed(connect_error(a->socket->fd.value()));
            a->socket->close();
            a = running_.erase(a);
        }
        return false;
    }

    void gave_up() const noexcept { t_.home.count.upstream_failed[upstream_error::timed_out].add(); }

private:
    void start(attempt a)
    {
        auto opened = begin_connect(a.to);
        if (!opened) return failed(opened.error().value());
        *a.socket = watched_socket{std::move(*opened), &t_.wake};
        a.socket->readable = a.socket->writable = false; // until the kernel reports readiness
        if (t_.home.events.watch(*a.socket)) return running_.push_back(std::move(a));
        a.socket->close();
        failed(ENOBUFS);
    }

    // No descriptor is left for another attempt: it replaces the oldest one.
    void replace_oldest(const endpoint& to)
    {
        if (running_.empty()) return failed(EMFILE);
        failed(ETIMEDOUT);
        attempt a{std::move(running_.front())};
        running_.erase(running_.begin());
        a.socket->close();
        a.to = to;
        start(std::move(a));
    }

    void failed(int error) noexcept
    {
        error_ = error;
        t_.home.count.upstream_failed[kind_of(error)].add();
    }

    bool take(attempt& a)
    {
        assert(a.socket->fd);
        won_ = true;
        t_.peer = a.to;
        if (!a.later) return true; // the other attempts are closed with the race
        t_.upstream = std::move(*a.later);
        running_.clear();
        won_ = t_.home.events.watch(t_.upstream, true);
        if (!won_) t_.upstream.close(), failed(ENOBUFS);
        return won_;
    }

    tunnel& t_;
    const std::vector<checked_address>& to_;
    const std::uint16_t port_;
    std::size_t next_ = 0;
    int error_ = 0;
    std::vector<attempt> running_;
    bool won_ = false;
};

} // namespace

task<verdict> connect(tunnel& t, std::vector<checked_address> to, std::uint16_t port)
{
    if (to.size() > 1) interleave(to);
    const auto began = std::chrono::steady_clock::now();
    race attempts{t, to, port};
    const auto give_up = t.home.due.now() + ticks(t.home.settings().connect_timeout);
    tick next_attempt = 0;
    for (;;) {
        while (attempts.more_to_try() && (attempts.idle() || t.home.due.now() >= next_attempt)) {
            attempts.start_next();
            next_attempt = t.home.due.now() + ticks(limits::attempt_delay);
        }
        if (attempts.finished()) break;
        if (attempts.idle() && attempts.more_to_try()) continue; // it failed at once: start the next one without waiting
        if (attempts.idle()) co_return attempts.why();
        if (t.cut) co_return t.cut->before;
        if (t.client_side.broken) co_return verdict::connect_failure;
        if (t.home.due.now() >= give_up) {
            attempts.gave_up();
            co_return verdict::connect_timeout;
        }
        t.set_due(attempts.more_to_try() ? std::min(next_attempt, give_up) : give_up);
        co_await t.event();
    }
    t.clear_deadline();
    t.home.count.connect_duration.observe(static_cast<std::uint64_t>((std::chrono::steady_clock::now() - began).count()));
    co_return verdict::allowed;
}

} // namespace exeat::net
