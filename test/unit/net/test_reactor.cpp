#include <net/loop/reactor.hpp>
#include <net/loop/task.hpp>
#include <net/sockets/socket.hpp>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <vector>

using namespace exeat::net;

namespace {

struct both_ends {
    both_ends()
    {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
        ours.fd.reset(fds[0]);
        theirs.reset(fds[1]);
    }
    watched_socket ours;
    unique_fd theirs;
};

struct seen {
    std::string bytes;
    bool ended = false;
};

background read_to_the_end(reactor& r, both_ends& s, seen& out)
{
    waiter wake{r};
    s.ours.owner = &wake;
    r.watch(s.ours);
    std::array<char, 64> room;
    while (!out.ended) {
        if (s.ours.readable) {
            const auto got = read_some(s.ours, room);
            out.ended = got.ended() || got.failed();
            out.bytes.append(room.data(), got.bytes);
            if (!got.would_block()) continue;
        }
        co_await wake.event();
    }
    s.ours.owner = nullptr;
}

void run_while(boost::asio::io_context& io, const auto& more)
{
    while (more()) io.run_one();
}

background wait_once(waiter& w, int& returned)
{
    co_await w.event();
    ++returned;
}

task<int> give(int n) { co_return n; }
task<int> fail()
{
    throw std::runtime_error{"no"};
    co_return 0;
}
background add_up(int& out)
{
    out = co_await give(1) + co_await give(2);
    try {
        out += co_await fail();
    } catch (const std::runtime_error&) {
        out += 10;
    }
}

} // namespace

TEST_CASE("a sleeper sees every byte and the end, however they were cut")
{
    boost::asio::io_context io{1};
    reactor r{io};
    r.start();
    both_ends s;
    seen got;
    read_to_the_end(r, s, got);
    const std::string sent(1000, 'x');
    for (const char c : sent) {
        REQUIRE(::write(s.theirs.value(), &c, 1) == 1);
        io.poll();
    }
    s.theirs.reset();
    run_while(io, [&] { return !got.ended; });
    CHECK(got.bytes == sent);
}

TEST_CASE("sockets that end in the middle of a batch leave no event behind")
{
    boost::asio::io_context io{1};
    reactor r{io};
    r.start();
    std::vector<std::unique_ptr<both_ends>> all;
    std::vector<seen> got(300); // more than one epoll_wait returns
    for (auto& g : got) read_to_the_end(r, *all.emplace_back(std::make_unique<both_ends>()), g);
    for (auto& s : all) s->theirs.reset();
    run_while(io, [&] {
        for (std::size_t i = 0; i < got.size(); ++i)
            if (got[i].ended) all[i].reset();
            else return true;
        return false;
    });
    CHECK(r.asleep());
}

TEST_CASE("a wake before the sleep is not lost, and one after it is enough")
{
    boost::asio::io_context io{1};
    reactor r{io};
    r.start();
    waiter early{r}, late{r};
    int returned = 0;
    early.wake();
    wait_once(early, returned);
    CHECK(returned == 1);
    wait_once(late, returned);
    CHECK(returned == 1);
    late.wake();
    late.wake();
    run_while(io, [&] { return returned == 1; });
    CHECK(returned == 2);
    io.poll();
    CHECK(returned == 2);
}

TEST_CASE("a waiter that dies while it is queued is not resumed")
{
    boost::asio::io_context io{1};
    reactor r{io};
    r.start();
    int returned = 0;
    waiter other{r};
    wait_once(other, returned);
    {
        waiter gone{r};
        gone.yield();
        other.wake();
    }
    run_while(io, [&] { return returned == 0; });
    CHECK(returned == 1);
}

TEST_CASE("a task hands its value or its exception to who awaits it")
{
    int out = 0;
    add_up(out);
    CHECK(out == 13);
}
