#include <net/dns/dns_ports.hpp>

#include <net/dns/dns_query.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <sys/epoll.h>
#include <sys/random.h>
#include <system_error>

namespace exeat::net {

namespace {

constexpr std::size_t flags_at = 2, counts_at = 4, counts_octets = 8; // RFC 1035 section 4.1
constexpr char response = '\x80', truncated = '\x02';                 // in the first octet of the flags
constexpr std::string_view one_question{"\0\1\0\0\0\0\0\0", counts_octets};

int failed(int error) noexcept
{
    errno = error;
    return -1;
}

constexpr std::size_t line_octets = 1, key_head_octets = line_octets + 2;

std::string key_of(std::size_t of, std::uint16_t identity, std::string_view asks)
{
    std::string out{static_cast<char>(of), static_cast<char>(identity >> 8), static_cast<char>(identity & 0xff)};
    out.append(asks);
    lower_case(std::span{out}.subspan(key_head_octets, asks.size() - 4));
    return out;
}

std::uint16_t own_identity(std::string_view key) noexcept { return identity(key.substr(line_octets)); }

// After these codes c-ares asks the next server, or waits for it if that was asked already.
bool asks_elsewhere(std::string_view answer) noexcept
{
    constexpr unsigned char code_bits = 0x0f, server_failure = 2, not_implemented = 4, refused = 5; // RFC 1035 section 4.1.1
    const auto code = static_cast<unsigned char>(answer[flags_at + 1]) & code_bits;
    return code == server_failure || code == not_implemented || code == refused;
}

std::size_t random_below(std::size_t n) noexcept
{
    std::uint32_t drawn = 0;
    if (::getrandom(&drawn, sizeof drawn, GRND_NONBLOCK) != sizeof drawn) return 0;
    return drawn % n;
}

} // namespace

dns_ports::dns_ports(std::chrono::milliseconds life) : life_{life}, events_{::epoll_create1(EPOLL_CLOEXEC)}
{
    if (!events_) throw std::system_error{errno, std::generic_category(), "epoll_create1"};
}

void dns_ports::share_among(std::size_t servers) noexcept
{
    ports_per_line_ = limits::dns_ports / std::clamp<std::size_t>(servers, 1, limits::dns_servers);
}

int dns_ports::open() noexcept
{
    const auto free = std::find_if(lines_.begin(), lines_.end(), [](const line& l) { return !l.open; });
    if (free == lines_.end()) return failed(EMFILE);
    free->open = true;
    return first_line + static_cast<int>(free - lines_.begin());
}

int dns_ports::connect(int fd, const sockaddr* to, socklen_t size) noexcept
{
    auto& l = lines_.at(static_cast<std::size_t>(fd - first_line));
    if (size > sizeof l.server) return failed(EINVAL);
    std::memcpy(&l.server, to, size);
    l.size = size;
    return 0;
}

void dns_ports::close(int fd) noexcept
{
    const auto of = static_cast<std::size_t>(fd - first_line);
    for (auto q = questions_.begin(); q != questions_.end();) q = ports_[q->second.at].of == of ? end(q) : std::next(q);
    lines_.at(of) = {};
}

ssize_t dns_ports::send(int fd, std::string_view query, moment now) noexcept
{
    try {
        return send_in_memory(static_cast<std::size_t>(fd - first_line), query, now);
    } catch (const std::bad_alloc&) {
        return failed(ENOMEM);
    }
}

// c-ares repeats a question under its old identity: it is sent again exactly as the first time, so that a late answer still counts.
ssize_t dns_ports::send_in_memory(std::size_t of, std::string_view query, moment now)
{
    const auto asks = question_of(query);
    if (!asks) return failed(EINVAL);
    std::array<char, dns_query_octets> room;
    std::copy(query.begin(), query.end(), room.begin());
    const std::span<char> octets{room.data() + dns_header_octets, asks->size()};

    auto key = key_of(of, identity(query), *asks);
    auto known = questions_.find(key);
    if (known != questions_.end()) {
        std::copy(known->second.octets.begin(), known->second.octets.end(), octets.begin());
    } else {
        if (!mix_case(octets)) return failed(EAGAIN);
        const auto begun = begin(std::move(key), {.at = 0, .identity = 0, .ends = now, .octets = {octets.begin(), octets.end()}});
        if (!begun) return failed(EAGAIN);
        known = *begun;
        auto* p = choose(of);
        if (!p) {
            const int why = errno;
            sent_.erase(known->second.identity);
            questions_.erase(known);
            return failed(why);
        }
        ++p->open;
        ++p->questions;
        known->second.at = static_cast<std::size_t>(p - ports_.data());
    }
    known->second.ends = now + life_;
    write_identity(room, known->second.identity);
    const auto& p = ports_[known->second.at];
    assert(p.fd && p.of == of);
    return ::send(p.fd.value(), room.data(), query.size(), MSG_NOSIGNAL);
}

// Gives the question an identity that no other question has; nullopt without randomness. Throws std::bad_alloc; then nothing has begun.
std::optional<dns_ports::questions::iterator> dns_ports::begin(std::string key, question q)
{
    do
        if (::getrandom(&q.identity, sizeof q.identity, GRND_NONBLOCK) != sizeof q.identity) return std::nullopt;
    while (sent_.contains(q.identity));
    const auto identity = q.identity;
    const auto at = questions_.emplace(std::move(key), std::move(q)).first;
    try {
        sent_.emplace(identity, at->first);
    } catch (const std::bad_alloc&) {
        questions_.erase(at);
        throw;
    }
    return at;
}

// A new port while there may be more; otherwise a random one of the line, preferably one that has carried few questions.
dns_ports::port* dns_ports::choose(std::size_t of) noexcept
{
    const auto mine =
        static_cast<std::size_t>(std::count_if(ports_.begin(), ports_.end(), [&](const port& p) { return p.fd && p.of == of; }));
    const auto unused = std::find_if(ports_.begin(), ports_.end(), [](const port& p) { return !p.fd; });
    if (mine < ports_per_line_ && unused != ports_.end() && connect_new(*unused, of)) return &*unused;
    port* any = nullptr;
    const auto first = random_below(ports_.size());
    for (std::size_t i = 0; i < ports_.size(); ++i) {
        auto& p = ports_[(first + i) % ports_.size()];
        if (!p.fd || p.of != of) continue;
        if (p.questions < limits::dns_port_questions) return &p;
        if (!any) any = &p;
    }
    return any;
}

bool dns_ports::connect_new(port& p, std::size_t of) noexcept
{
    const auto& to = lines_[of];
    unique_fd fd{::socket(to.server.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd || ::connect(fd.value(), reinterpret_cast<const sockaddr*>(&to.server), to.size) != 0) return false;
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.u64 = static_cast<std::uint64_t>(&p - ports_.data());
    if (::epoll_ctl(events_.value(), EPOLL_CTL_ADD, fd.value(), &e) != 0) return false;
    p = port{};
    p.fd = std::move(fd);
    p.of = of;
    return true;
}

dns_ports::questions::iterator dns_ports::end(questions::iterator q) noexcept
{
    auto& p = ports_[q->second.at];
    assert(p.fd && p.open > 0);
    if (--p.open == 0) p = port{};
    sent_.erase(q->second.identity);
    return questions_.erase(q);
}

std::bitset<limits::dns_servers> dns_ports::readable() noexcept
{
    std::array<epoll_event, limits::dns_ports> ready{};
    const int n = ::epoll_wait(events_.value(), ready.data(), static_cast<int>(ready.size()), 0);
    std::bitset<limits::dns_servers> has;
    for (int i = 0; i < n; ++i) {
        auto& p = ports_[static_cast<std::size_t>(ready[static_cast<std::size_t>(i)].data.u64)];
        p.readable = true;
        has[p.of] = true;
    }
    turn_ = limits::dns_datagrams_per_turn;
    return has;
}

ssize_t dns_ports::receive(int fd, std::span<char> room, sockaddr* from, socklen_t* size) noexcept
{
    const auto of = static_cast<std::size_t>(fd - first_line);
    for (auto& p : ports_) {
        if (!p.fd || p.of != of || !p.readable) continue;
        const auto n = take(p, room);
        if (n < 0 && errno == EAGAIN) continue;
        const auto& l = lines_[of]; // the port is connected: it receives from this server only
        if (n > 0 && from && size) std::memcpy(from, &l.server, *size = std::min(*size, l.size));
        return n;
    }
    return failed(EAGAIN);
}

// The next answer at this port; -1 with EAGAIN when there is none.
ssize_t dns_ports::take(port& p, std::span<char> room) noexcept
{
    while (p.fd && turn_ > 0) {
        --turn_;
        const auto n = ::recv(p.fd.value(), room.data(), room.size(), 0);
        if (n < 0) {
            p.readable = false;
            return n;
        }
        if (const auto size = accept(p, room.first(static_cast<std::size_t>(n))); size > 0) return size;
    }
    return failed(EAGAIN);
}

// The size of the answer that c-ares gets, with the name in lower case as c-ares sent it; 0: not an answer to any question of this port.
ssize_t dns_ports::accept(const port& p, std::span<char> datagram) noexcept
{
    const std::string_view all{datagram.data(), datagram.size()};
    if (all.size() < dns_header_octets || (all[flags_at] & response) == 0) return 0;
    const auto sent = sent_.find(identity(all));
    if (sent == sent_.end()) return 0;
    const auto q = questions_.find(sent->second);
    assert(q != questions_.end());
    if (&ports_[q->second.at] != &p) return 0;
    const auto octets = datagram.subspan(dns_header_octets);
    const auto size = q->second.octets.size();
    if (all.substr(counts_at, 2) != one_question.substr(0, 2) || octets.size() < size) return 0;
    const auto echoed = all.substr(dns_header_octets, size);
    if (!same_but_for_case(echoed, q->second.octets)) return 0;

    const bool exact = echoed == q->second.octets;
    lower_case(octets.first(size - 4));
    write_identity(datagram, own_identity(q->first));
    if (exact && asks_elsewhere(all)) end(q);
    else end_everywhere(q->first);
    if (exact) return static_cast<ssize_t>(datagram.size());
    datagram[flags_at] = static_cast<char>(datagram[flags_at] | truncated);
    datagram[flags_at + 1] = static_cast<char>(datagram[flags_at + 1] & '\xf0'); // no error
    std::copy(one_question.begin(), one_question.end(), datagram.begin() + counts_at);
    return static_cast<ssize_t>(dns_header_octets + size);
}

// Also ends it at the servers that were asked before.
void dns_ports::end_everywhere(std::string_view key) noexcept
{
    std::array<char, dns_query_octets> room; // a copy, because the key is destroyed with its question
    const std::string_view there{room.data(), key.copy(room.data(), room.size())};
    for (std::size_t of = 0; of < lines_.size(); ++of) {
        room.front() = static_cast<char>(of);
        if (const auto at = questions_.find(there); at != questions_.end()) end(at);
    }
}

void dns_ports::expire(moment now) noexcept
{
    for (auto q = questions_.begin(); q != questions_.end();) q = q->second.ends <= now ? end(q) : std::next(q);
}

std::size_t dns_ports::open_ports() const noexcept
{
    return static_cast<std::size_t>(std::count_if(ports_.begin(), ports_.end(), [](const port& p) { return bool{p.fd}; }));
}

} // namespace exeat::net
