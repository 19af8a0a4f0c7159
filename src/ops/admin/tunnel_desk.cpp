#include <ops/admin/tunnel_desk.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

namespace exeat::ops {

namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

// The state of one query. It lives until the last worker has answered, which may be after the time limit.
struct gathering {
    gathering(const asio::any_io_executor& on, const net::tunnel_question& q) : all{q}, end{on, limits::tunnel_answer_time} {}
    net::tunnel_list all;
    std::size_t missing = 0;
    asio::steady_timer end;
};

asio::awaitable<void> sleep_until(clock::time_point when)
{
    boost::system::error_code ignored;
    asio::steady_timer timer{co_await asio::this_coro::executor, when};
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

} // namespace

asio::awaitable<std::optional<tunnels_found>> tunnel_desk::look(net::tunnel_question question)
{
    const auto now = clock::now(), turn = std::max(now, next_);
    if (turn - now > limits::tunnel_look_wait) co_return std::nullopt;
    next_ = turn + limits::tunnel_look_interval;
    if (turn > now) co_await sleep_until(turn);

    const auto home = co_await asio::this_coro::executor;
    const auto g = std::make_shared<gathering>(home, question);
    std::function<void(net::tunnel_list)> take = [g, home](net::tunnel_list part) {
        asio::post(home, [g, part = std::move(part)]() mutable {
            g->all.merge(std::move(part));
            if (--g->missing == 0) g->end.cancel();
        });
    };
    g->missing = ask_(question, take); // the answers are posted to this thread
    boost::system::error_code ended;
    if (g->missing > 0) co_await g->end.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    tunnels_found found{g->all, g->missing == 0}; // a copy: late workers still write to the original
    co_return found;
}

} // namespace exeat::ops
