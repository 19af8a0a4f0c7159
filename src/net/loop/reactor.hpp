// How tunnels wait: one edge-triggered epoll per worker, nested in the worker's io_context as one descriptor. Each socket is registered
// once, for both directions; its readiness is a cached flag that a would-block clears. A coroutine waits for its waiter, not for a socket:
// any event of its sockets, its deadline or its policy wakes it, and it checks the flags itself. All of it belongs to one worker's thread.
#pragma once

#include <net/loop/kept_memory.hpp>
#include <net/sockets/unique_fd.hpp>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <coroutine>
#include <cstdint>
#include <sys/epoll.h>

namespace exeat::net {

class reactor;

// What one coroutine waits on. Member of its tunnel; the coroutine that owns it may destroy it at any time.
class waiter {
public:
    explicit waiter(reactor& home) noexcept : home_{home} {}
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter() { unlink(); }

    // Returns when wake() was called since the last return. Spurious returns are allowed.
    auto event() noexcept
    {
        struct awaiter {
            waiter& self;
            bool await_ready() const noexcept { return self.woken_ && !self.queued_; }
            void await_suspend(std::coroutine_handle<> h) const noexcept { self.sleeper_ = h; }
            void await_resume() const noexcept { self.woken_ = false; }
        };
        return awaiter{*this};
    }
    void wake() noexcept;
    // Lets the other tunnels run: wakes again at the next poll.
    void yield() noexcept;

private:
    friend class reactor;
    void unlink() noexcept;

    reactor& home_;
    std::coroutine_handle<> sleeper_;
    waiter* previous_ = nullptr; // in the reactor's ready list
    waiter* next_ = nullptr;
    bool queued_ = false;
    bool woken_ = false;
};

// A socket with its cached readiness, which is assumed until the first call. Its address must not change once watched.
struct watched_socket {
    unique_fd fd;
    waiter* owner = nullptr;
    bool watched = false;
    bool readable = true;
    bool writable = true;
    bool peer_closed = false; // FIN or an error was seen: a short read does not mean that the socket is drained
    bool broken = false;      // error or hang-up: nothing more will arrive
    bool failed = false;      // error: received data is lost, too
    bool urgent = false;      // urgent data is in the stream (RFC 9293 section 3.8.5): splice(2) stops before it, recv(2) does not

    void close() noexcept
    {
        fd.reset();
        watched = false;
    }
};

class reactor {
public:
    explicit reactor(boost::asio::io_context& io);
    reactor(const reactor&) = delete;
    reactor& operator=(const reactor&) = delete;

    // Registers the socket, or updates its registration after it has moved. False when the kernel refuses (ENOSPC, ENOMEM).
    bool watch(watched_socket& s, bool moved = false) noexcept;
    // Ends its events, even when another process keeps the socket open: a close alone would leave it registered.
    void forget(watched_socket& s) noexcept;
    bool asleep() const noexcept { return ready_ == 0; }
    // Starts receiving events; call once before io.run().
    void start();
    void stop();

private:
    friend class waiter;
    void queue(waiter&) noexcept;
    void poll_soon();
    void poll();
    void wait();
    void mark(const epoll_event&) noexcept;
    void run_ready();

    boost::asio::io_context& io_;
    boost::asio::posix::stream_descriptor epoll_;
    std::array<epoll_event, 256> events_;
    waiter* first_ready_ = nullptr;
    waiter* last_ready_ = nullptr;
    std::size_t ready_ = 0; // length of the list
    bool posted_ = false;
    bool waiting_ = false;
    kept_memory post_memory_, wait_memory_;
};

} // namespace exeat::net
