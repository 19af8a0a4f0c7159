#include <cli/live/watch.hpp>

#include <cli/live/fetch.hpp>
#include <net/sockets/unique_fd.hpp>
#include <ops/process/version.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <system_error>
#include <unistd.h>

namespace exeat::cli::live {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

// io_context::run() throws what a coroutine throws.
void rethrow(std::exception_ptr thrown)
{
    if (thrown) std::rethrow_exception(thrown);
}

std::string unreadable(const admin_site& site, std::string_view path, const std::string& why)
{
    return fmt::format("{}{} does not answer as exeat {}: {}", site.url, path, ops::version, why);
}

asio::awaitable<void> look_at_status(const admin_site& site, picture& p)
{
    const std::string path = "/api/status";
    const auto text = co_await fetch(site, path);
    if (!text) {
        p.trouble = text.error();
        co_return;
    }
    auto read = read_status(*text, p.can);
    if (read) p.take(std::move(*read), steady_clock::now());
    else p.trouble = unreadable(site, path, read.error());
}

asio::awaitable<void> look_at_tunnels(const admin_site& site, const outlook& o, picture& p)
{
    const auto path = tunnels_path(o, p);
    const auto text = co_await fetch(site, path);
    if (!text) {
        p.tunnels_trouble = text.error();
        co_return;
    }
    auto read = read_tunnels(*text, p.can);
    if (read) p.take(std::move(*read), steady_clock::now());
    else p.tunnels_trouble = unreadable(site, "/api/tunnels", read.error());
}

asio::awaitable<void> look_at_all(const admin_site& site, const outlook& o, picture& p, int times)
{
    asio::steady_timer between{co_await asio::this_coro::executor};
    for (int i = 0; i < times; ++i) {
        if (i > 0) {
            between.expires_after(1s);
            co_await between.async_wait(asio::use_awaitable);
        }
        co_await look_at_status(site, p);
        if (!p.trouble.empty()) co_return;
        co_await look_at_tunnels(site, o, p);
    }
}

class watcher {
public:
    watcher(const admin_site& site, outlook o, picture p, terminal& t)
        : site_{site}, wanted_{std::move(o)}, seen_{std::move(p)}, terminal_{t}, tried_{steady_clock::now() - wanted_.interval + 1s}
    {
        if (!awaited_) throw std::system_error{errno, std::generic_category(), "epoll_create1"};
        epoll_event any{EPOLLIN, {}};
        if (::epoll_ctl(awaited_.value(), EPOLL_CTL_ADD, STDIN_FILENO, &any) != 0)
            throw std::system_error{errno, std::generic_category(), "the terminal cannot be waited for"};
        keys_.assign(awaited_.release());
        for (const int more : {SIGQUIT, SIGWINCH}) signals_.add(more);
    }

    void run()
    {
        draw_now();
        asio::co_spawn(io_, look_again(), rethrow);
        asio::co_spawn(io_, read_keys(), rethrow);
        asio::co_spawn(io_, heed_signals(), rethrow);
        asio::co_spawn(io_, let_time_pass(), rethrow);
        io_.run();
    }

private:
    void draw_now()
    {
        const auto drawn = draw(seen_, wanted_, terminal_.size(), steady_clock::now());
        wanted_.first = drawn.first;
        space_ = drawn.space;
        terminal_.show(drawn.lines);
    }

    moment next_look() const { return wanted_.paused ? moment::max() : tried_ + wanted_.interval; }

    asio::awaitable<void> look_again()
    {
        error_code woken;
        for (;;) {
            due_.expires_at(next_look());
            if (!asked_) co_await due_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            const bool asked = std::exchange(asked_, false), due = steady_clock::now() >= next_look();
            if (due) {
                tried_ = steady_clock::now();
                co_await look_at_status(site_, seen_);
            }
            if (wanted_.what == view::tunnels && (asked || due)) co_await look_at_tunnels(site_, wanted_, seen_);
            if (seen_.tunnels.last)
                wanted_.page = std::clamp<std::uint64_t>(wanted_.page, 1, std::max<std::uint64_t>(seen_.tunnels.last->pages, 1));
            draw_now();
        }
    }

    asio::awaitable<void> read_keys()
    {
        for (;;) {
            co_await keys_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
            if (!obey_keys()) break;
            draw_now();
        }
        io_.stop();
    }

    // False: the program should end.
    bool obey_keys()
    {
        auto k = terminal_.next_key();
        if (!k && terminal_.gone()) return false;
        for (; k; k = terminal_.next_key()) {
            const auto what = press(wanted_, *k, space_);
            if (what == wish::leave) return false;
            if (what == wish::repaint) terminal_.repaint();
            if (what == wish::look) asked_ = true;
        }
        due_.cancel(); // the next look may now be due at another time
        return true;
    }

    asio::awaitable<void> heed_signals()
    {
        for (;;) {
            const int which = co_await signals_.async_wait(asio::use_awaitable);
            if (which != SIGWINCH) break;
            draw_now();
        }
        io_.stop();
    }

    // Redraws every second while the age of the picture is shown.
    asio::awaitable<void> let_time_pass()
    {
        asio::steady_timer second{io_};
        for (;;) {
            second.expires_after(1s);
            co_await second.async_wait(asio::use_awaitable);
            if (wanted_.paused || !seen_.trouble.empty()) draw_now();
        }
    }

    const admin_site& site_;
    outlook wanted_;
    picture seen_;
    terminal& terminal_;
    room space_;
    asio::io_context io_{1};
    asio::signal_set signals_{io_, SIGINT, SIGTERM, SIGHUP};
    // An epoll descriptor for the keys, because Asio makes the descriptor that it waits for non-blocking, and the shell shares the
    // terminal.
    net::unique_fd awaited_{::epoll_create1(EPOLL_CLOEXEC)};
    asio::posix::stream_descriptor keys_{io_};
    asio::steady_timer due_{io_};
    moment tried_; // the last attempt; at first set so that the second look, which gives the rates, follows after a second
    bool asked_ = false;
};

} // namespace

boost::system::result<picture, std::string> look(const admin_site& site, const outlook& o, charset can, int times)
{
    picture p;
    p.host = site.host;
    p.can = can;
    asio::io_context io{1};
    asio::co_spawn(io, look_at_all(site, o, p, times), rethrow);
    io.run();
    if (!p.trouble.empty()) return {boost::system::in_place_error, p.trouble};
    return {boost::system::in_place_value, std::move(p)};
}

void watch(const admin_site& site, outlook o, picture p, terminal& t) { watcher{site, std::move(o), std::move(p), t}.run(); }

} // namespace exeat::cli::live
