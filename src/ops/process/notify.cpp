#include <ops/process/notify.hpp>

#include <ops/process/environment.hpp>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>

namespace exeat::ops {

namespace {

[[noreturn]] void refuse(std::string_view address, std::string_view why)
{
    throw std::runtime_error{fmt::format("NOTIFY_SOCKET={}: {}", address, why)};
}

// Connects to a path, or to the abstract name after an '@' (unix(7)), which has no terminating NUL.
net::unique_fd connect_to(const std::string& address)
{
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    if (address.size() < 2 || (address[0] != '/' && address[0] != '@')) refuse(address, "neither an absolute path nor an abstract name");
    if (address.size() >= sizeof a.sun_path) refuse(address, "longer than a socket's name may be");
    std::memcpy(a.sun_path, address.data(), address.size());
    if (address[0] == '@') a.sun_path[0] = '\0';
    net::unique_fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    if (!fd || ::connect(fd.value(), reinterpret_cast<const sockaddr*>(&a), size) != 0) refuse(address, std::strerror(errno));
    return fd;
}

// WATCHDOG_USEC= applies to this process unless WATCHDOG_PID= names another one.
std::chrono::microseconds watchdog_time()
{
    const auto text = take_from_environment("WATCHDOG_USEC"), pid = take_from_environment("WATCHDOG_PID");
    if (text.empty() || (!pid.empty() && pid != std::to_string(::getpid()))) return {};
    std::uint64_t n = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (failed != std::errc{} || end != text.data() + text.size() || n == 0 || n > INT64_MAX)
        throw std::runtime_error{fmt::format("WATCHDOG_USEC={}: no number of microseconds", text)};
    return std::chrono::microseconds{static_cast<std::int64_t>(n)};
}

// A newline would start another assignment.
std::string one_line(std::string_view text)
{
    std::string out{text};
    for (char& c : out)
        if (c == '\n' || c == '\r') c = ' ';
    return out;
}

std::int64_t monotonic_now()
{
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return std::int64_t{t.tv_sec} * 1'000'000 + t.tv_nsec / 1'000;
}

} // namespace

notifier::notifier()
{
    const auto address = take_from_environment("NOTIFY_SOCKET");
    watchdog_ = watchdog_time();
    if (!address.empty()) socket_ = connect_to(address);
}

void notifier::say(std::string_view assignments) const noexcept
{
    if (socket_)
        ::send(socket_.value(), assignments.data(), assignments.size(), MSG_DONTWAIT | MSG_NOSIGNAL); // a message without a reader is lost
}

void notifier::ready(std::string_view text) const { say("READY=1\nSTATUS=" + one_line(text)); }
void notifier::reloading() const { say(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reloading the allowlist", monotonic_now())); }
void notifier::status(std::string_view text) const { say("STATUS=" + one_line(text)); }
void notifier::alive() const { say("WATCHDOG=1"); }

void notifier::stopping(std::chrono::milliseconds at_most) const
{
    say(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", std::chrono::microseconds{at_most}.count()));
}

} // namespace exeat::ops
