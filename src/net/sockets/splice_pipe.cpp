#include <net/sockets/splice_pipe.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <fcntl.h>

namespace exeat::net {

namespace {

io_result spliced(ssize_t n, bool& ready) noexcept
{
    if (n > 0) return {io_result::how::moved, static_cast<std::size_t>(n), 0};
    if (n == 0) return {io_result::how::ended, 0, 0};
    if (errno != EAGAIN && errno != EWOULDBLOCK) return {io_result::how::failed, 0, errno};
    ready = false;
    return {};
}

ssize_t move(int from, int to, std::size_t most) noexcept
{
    ssize_t n = 0;
    do n = ::splice(from, nullptr, to, nullptr, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (n < 0 && errno == EINTR);
    return n;
}

} // namespace

io_result splice_pipe::fill(watched_socket& from) noexcept
{
    const auto r = spliced(move(from.fd.value(), in.value(), limits::pipe_bytes), from.readable);
    held += r.bytes;
    return r;
}

io_result splice_pipe::drain(watched_socket& to, std::size_t most) noexcept
{
    const auto r = spliced(move(out.value(), to.fd.value(), std::min(most, held)), to.writable);
    held -= r.bytes;
    return r;
}

std::optional<splice_pipe> pipe_pool::take() noexcept
{
    if (!idle_.empty()) {
        std::optional<splice_pipe> p{std::move(idle_.back())};
        idle_.pop_back();
        return p;
    }
    auto lease = from_.take(2);
    int fds[2];
    if (!lease || ::pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) return std::nullopt;
    splice_pipe p{std::move(*lease), unique_fd{fds[0]}, unique_fd{fds[1]}};
    ::fcntl(p.in.value(), F_SETPIPE_SZ, static_cast<int>(limits::pipe_bytes)); // beyond the user's limit the default size is kept
    return p;
}

void pipe_pool::give_back(splice_pipe&& p) noexcept
{
    assert(p.held == 0);
    if (p.held == 0 && idle_.size() < limits::idle_pipes) idle_.push_back(std::move(p));
    else splice_pipe closed{std::move(p)};
}

} // namespace exeat::net
