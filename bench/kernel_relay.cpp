// kernel_relay MODE LISTEN=UPSTREAM…: what the kernel alone costs. One thread, epoll(7), splice(2), each listener with one fixed upstream;
// no name is read, nothing is decided, counted or logged. MODE connect: drops what the client says first and answers 200, once the
// upstream is there. MODE sni: relays from the first byte.
//
// It is the strongest that we know how to write, so that the ratio to it is honest: each socket is registered once, small messages are
// copied through one buffer, and a read that fills it goes over to splice with 1 MiB pipes, which are held only while bytes flow.
#include "loop.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <sys/socket.h>
#include <vector>

namespace exeat::bench {

namespace {

constexpr std::size_t pipe_bytes = 1 << 20, turn_bytes = 512 * 1024, worth_splicing = 16 * 1024;

struct pipe_ends {
    unique_fd out, in;
    std::size_t held = 0;
};

pipe_ends new_pipe()
{
    int fds[2];
    if (::pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) fail("pipe");
    ::fcntl(fds[1], F_SETPIPE_SZ, static_cast<int>(pipe_bytes));
    return {unique_fd{fds[0]}, unique_fd{fds[1]}};
}

struct pair;

struct watched {
    pair* of = nullptr; // none for a listener
    unique_fd fd;
    bool readable = false, writable = false, hung_up = false;
};

struct listener : watched {
    sockaddr_in upstream{};
};

struct process {
    epoll events;
    bool answers = false; // MODE connect
    std::vector<char> scratch = std::vector<char>(64 * 1024);
    std::vector<pipe_ends> idle_pipes;
    std::vector<std::unique_ptr<pair>> ended;
    std::vector<pair*> unfinished; // had their turn and could go on
};

struct direction {
    std::optional<pipe_ends> pipe;
    std::string kept;
    bool bulk = false, ended = false, done = false;
};

enum class step { waits, more, failed };

struct pair {
    pair(unique_fd fd, const sockaddr_in& to, process& p) : home{p}
    {
        client.of = upstream.of = this;
        client.fd = std::move(fd);
        upstream_at = to;
        home.events.watch(client.fd.value(), &client);
        if (!home.answers) reach();
    }

    void reach()
    {
        upstream.fd = dial(upstream_at);
        if (upstream.fd) home.events.watch(upstream.fd.value(), &upstream);
        else over = true;
    }

    // All that can be done now.
    void go_on()
    {
        if (over) return;
        if (home.answers && !greeted && !greet()) return;
        if (!upstream.writable && !upstream.readable) return;
        const auto a = pump(client, upstream, up), b = pump(upstream, client, down);
        over = a == step::failed || b == step::failed || (up.done && down.done);
        if (over || queued || (a != step::more && b != step::more)) return;
        queued = true;
        home.unfinished.push_back(this);
    }

    bool greet()
    {
        if (!upstream.fd) {
            if (!client.readable) return false;
            const auto n = take(client.fd.value(), home.scratch);
            client.readable = client.hung_up;
            if (n == again) return false;
            if (n <= 0) over = true;
            else reach();
        }
        if (over || !upstream.writable) return false;
        greeted = true;
        return put(client.fd.value(), "HTTP/1.1 200 OK\r\n\r\n") > 0;
    }

    step pump(watched& from, watched& to, direction& d)
    {
        for (std::size_t moved = 0; moved < turn_bytes;) {
            if (d.done) return step::waits;
            if (const auto s = flush(to, d); s != step::more) return s;
            if (d.ended) {
                ::shutdown(to.fd.value(), SHUT_WR);
                d.done = true;
                return step::waits;
            }
            if (!from.readable) return step::waits;
            const auto n = d.bulk ? splice_in(from, d) : copy(from, to, d);
            if (n == broken) return step::failed;
            if (n > 0) moved += static_cast<std::size_t>(n);
        }
        return step::more;
    }

    // step::more: nothing is left to send
    step flush(watched& to, direction& d)
    {
        while (d.pipe && d.pipe->held > 0) {
            if (!to.writable) return step::waits;
            const auto n = ::splice(d.pipe->out.value(), nullptr, to.fd.value(), nullptr, d.pipe->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
            if (n < 0 && errno != EAGAIN) return step::failed;
            if (n < 0) to.writable = false;
            else d.pipe->held -= static_cast<std::size_t>(n);
        }
        while (!d.kept.empty()) {
            if (!to.writable) return step::waits;
            const auto n = put(to.fd.value(), d.kept);
            if (n == broken) return step::failed;
            if (n == again) to.writable = false;
            else d.kept.erase(0, static_cast<std::size_t>(n));
        }
        return step::more;
    }

    long copy(watched& from, watched& to, direction& d)
    {
        const auto n = take(from.fd.value(), home.scratch);
        if (n < 0 || static_cast<std::size_t>(n) < home.scratch.size()) from.readable = n == 0 || (from.hung_up && n > 0);
        d.ended = n == 0;
        if (n <= 0) return n;
        d.bulk = static_cast<std::size_t>(n) == home.scratch.size();
        const std::string_view bytes{home.scratch.data(), static_cast<std::size_t>(n)};
        const auto sent = to.writable ? put(to.fd.value(), bytes) : again;
        if (sent == broken) return broken;
        if (sent < n) {
            to.writable = false;
            d.kept = bytes.substr(sent > 0 ? static_cast<std::size_t>(sent) : 0);
        }
        return n;
    }

    long splice_in(watched& from, direction& d)
    {
        if (!d.pipe) d.pipe = take_pipe();
        const auto n = ::splice(from.fd.value(), nullptr, d.pipe->in.value(), nullptr, pipe_bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n < 0 && errno != EAGAIN) return broken;
        d.ended = n == 0;
        if (n < 0) from.readable = false;
        if (n > 0) d.pipe->held += static_cast<std::size_t>(n);
        if (n > 0 && static_cast<std::size_t>(n) < worth_splicing) d.bulk = false;
        if (n <= 0 && d.pipe->held == 0) home.idle_pipes.push_back(std::move(*d.pipe)), d.pipe.reset();
        return n;
    }

    pipe_ends take_pipe()
    {
        if (home.idle_pipes.empty()) return new_pipe();
        auto p = std::move(home.idle_pipes.back());
        home.idle_pipes.pop_back();
        return p;
    }

    process& home;
    watched client, upstream;
    sockaddr_in upstream_at{};
    direction up, down;
    bool greeted = false, queued = false, over = false, left = false;
};

void mark(watched& w, std::uint32_t events)
{
    const bool broken_off = events & (EPOLLERR | EPOLLHUP);
    w.hung_up = w.hung_up || broken_off || (events & EPOLLRDHUP);
    w.readable = w.readable || w.hung_up || (events & EPOLLIN);
    w.writable = w.writable || broken_off || (events & EPOLLOUT);
}

void accept_all(listener& l, process& p)
{
    for (int i = 0; i < 64; ++i) {
        auto fd = accept_one(l.fd.value());
        if (!fd) return;
        new pair{std::move(fd), l.upstream, p}; // goes through process::ended
    }
}

void turn(pair& p)
{
    p.go_on();
    if (!p.over || p.left) return;
    p.left = true;
    p.home.ended.emplace_back(&p);
}

int relay(std::string_view mode, std::span<char*> arguments)
{
    ::signal(SIGPIPE, SIG_IGN); // splice(2) has no MSG_NOSIGNAL
    raise_descriptor_limit();
    process p;
    p.answers = mode == "connect";
    std::vector<std::unique_ptr<listener>> listeners;
    for (const std::string_view each : arguments) {
        auto l = std::make_unique<listener>();
        l->fd = listen_on(endpoint(each.substr(0, each.find('='))));
        l->upstream = endpoint(each.substr(each.find('=') + 1));
        p.events.watch(l->fd.value(), static_cast<watched*>(l.get()), EPOLLIN);
        listeners.push_back(std::move(l));
    }
    std::puts("ready");
    std::fflush(stdout);
    for (;;) {
        for (const auto& e : p.events.wait(p.unfinished.empty() ? -1 : 0)) {
            auto& w = *static_cast<watched*>(e.data.ptr);
            if (!w.of) accept_all(static_cast<listener&>(w), p);
            else mark(w, e.events), turn(*w.of);
        }
        for (auto* each : std::exchange(p.unfinished, {})) {
            each->queued = false;
            if (!each->left) turn(*each);
        }
        p.ended.clear();
    }
}

} // namespace

} // namespace exeat::bench

int main(int argc, char** argv)
{
    if (argc < 3) exeat::bench::fail("kernel_relay connect|sni LISTEN=UPSTREAM...");
    return exeat::bench::relay(argv[1], {argv + 2, argv + argc});
}
