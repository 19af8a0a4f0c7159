#include <net/loop/reactor.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/post.hpp>
#include <sys/socket.h>
#include <system_error>

namespace exeat::net {

namespace asio = boost::asio;

void waiter::wake() noexcept
{
    woken_ = true;
    if (sleeper_ && !queued_) home_.queue(*this);
}

void waiter::yield() noexcept
{
    woken_ = true;
    if (!queued_) home_.queue(*this);
}

void waiter::unlink() noexcept
{
    if (!queued_) return;
    (previous_ ? previous_->next_ : home_.first_ready_) = next_;
    (next_ ? next_->previous_ : home_.last_ready_) = previous_;
    previous_ = next_ = nullptr;
    queued_ = false;
    --home_.ready_;
}

namespace {
int open_epoll()
{
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw std::system_error{errno, std::generic_category(), "epoll_create1"};
    return fd;
}
} // namespace

reactor::reactor(asio::io_context& io) : io_{io}, epoll_{io, open_epoll()} {}

bool reactor::watch(watched_socket& s, bool moved) noexcept
{
    epoll_event e{};
    e.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
    e.data.ptr = &s;
    s.watched = ::epoll_ctl(epoll_.native_handle(), moved ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s.fd.value(), &e) == 0;
    if (s.watched) s.readable = false; // waiting bytes are reported by the first event: no call is needed to find out
    return s.watched;
}

void reactor::forget(watched_socket& s) noexcept
{
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, s.fd.value(), nullptr);
    s.watched = false;
}

void reactor::start() { wait(); }

void reactor::stop()
{
    boost::system::error_code ignored;
    epoll_.cancel(ignored);
}

void reactor::queue(waiter& w) noexcept
{
    w.queued_ = true;
    w.previous_ = last_ready_;
    w.next_ = nullptr;
    (last_ready_ ? last_ready_->next_ : first_ready_) = &w;
    last_ready_ = &w;
    ++ready_;
    poll_soon();
}

void reactor::poll_soon()
{
    if (posted_) return;
    posted_ = true;
    asio::post(io_, asio::bind_allocator(post_memory_.memory(), [this] {
                   posted_ = false;
                   poll();
               }));
}

void reactor::wait()
{
    if (waiting_) return;
    waiting_ = true;
    epoll_.async_wait(asio::posix::stream_descriptor::wait_read,
                      asio::bind_allocator(wait_memory_.memory(), [this](boost::system::error_code failed) {
                          waiting_ = false;
                          if (!failed) poll();
                      }));
}

// First every flag of the batch is set, then the waiters run: a tunnel may end in its turn, and then no event of this batch points to it
// any more.
void reactor::poll()
{
    const int n = ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
    const bool was_posted = std::exchange(posted_, true); // the batch runs right here, not a second time
    for (int i = 0; i < n; ++i) mark(events_[static_cast<std::size_t>(i)]);
    posted_ = was_posted;
    run_ready();
    if (ready_ > 0) poll_soon();
    else wait();
}

namespace {
// The octet keeps its place in the stream, so that it is relayed and counted like any other.
void take_urgent_in_line(watched_socket& s) noexcept
{
    const int on = 1;
    s.urgent = ::setsockopt(s.fd.value(), SOL_SOCKET, SO_OOBINLINE, &on, sizeof on) == 0;
    if (!s.urgent) s.broken = s.failed = true;
}
} // namespace

void reactor::mark(const epoll_event& e) noexcept
{
    auto& s = *static_cast<watched_socket*>(e.data.ptr);
    const bool over = (e.events & (EPOLLERR | EPOLLHUP)) != 0;
    s.broken |= over;
    s.failed |= (e.events & EPOLLERR) != 0;
    s.readable |= over || (e.events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI)) != 0;
    if ((e.events & EPOLLPRI) != 0 && !s.urgent) take_urgent_in_line(s);
    s.writable |= over || (e.events & EPOLLOUT) != 0;
    s.peer_closed |= over || (e.events & EPOLLRDHUP) != 0;
    if (s.owner) s.owner->wake();
}

// Waiters that queue themselves meanwhile run in the next poll, after the sockets were polled again.
void reactor::run_ready()
{
    for (auto turns = ready_; turns > 0 && first_ready_; --turns) {
        auto& w = *first_ready_;
        w.unlink();
        w.woken_ = true;
        if (const auto sleeper = std::exchange(w.sleeper_, nullptr)) sleeper.resume();
    }
}

} // namespace exeat::net
