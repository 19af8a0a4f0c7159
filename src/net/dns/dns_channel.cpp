#include <net/dns/dns_channel.hpp>

#include <exeat/limits.hpp>
#include <net/dns/dns_ports.hpp>
#include <net/dns/dns_tries.hpp>
#include <net/loop/kept_memory.hpp>
#include <net/sockets/socket.hpp>

#include <algorithm>
#include <ares.h>
#include <array>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/uio.h>
#include <unordered_map>

namespace exeat::net {

namespace asio = boost::asio;
using descriptor = asio::posix::stream_descriptor;

namespace {

// The global data of c-ares: set up once per process, before any channel.
void set_up_library()
{
    static const int said = ::ares_library_init(ARES_LIB_INIT_ALL);
    if (said != ARES_SUCCESS) throw std::runtime_error{ares_strerror(said)};
}

} // namespace

struct dns_channel::parts {
    // c-ares opens and closes the socket; Asio only watches it.
    struct watch {
        explicit watch(asio::io_context& io, int fd) : on{io, fd} {}
        ~watch()
        {
            if (on.is_open()) on.release();
        }
        descriptor on;
        bool want_read = false, want_write = false, reading = false, writing = false;
    };

    // One half of a question.
    struct half_question {
        half_question(parts& p, dns_half h, std::shared_ptr<const answer_handler> c) noexcept : home{p}, half{h}, call{std::move(c)}
        {
            ++home.open_questions;
        }
        ~half_question() { --home.open_questions; }
        half_question(const half_question&) = delete;
        half_question& operator=(const half_question&) = delete;
        parts& home;
        const dns_half half;
        const std::shared_ptr<const answer_handler> call;
    };

    parts(asio::io_context& i, std::chrono::milliseconds timeout) : io{i}, ports{timeout}, udp{i, ports.events()} {}
    ~parts()
    {
        if (channel) ::ares_destroy(channel);
        if (udp.is_open()) udp.release(); // dns_ports closes it
    }
    void open(std::span<const endpoint> servers, std::chrono::milliseconds timeout);
    void ask(const std::string& absolute, std::unique_ptr<half_question>) noexcept;
    void wait_for_ports() noexcept;
    int open_socket(int family, int type) noexcept;
    static const ares_socket_functions& socket_functions() noexcept;
    void socket_state(int fd, bool read, bool write);
    void watch_all() noexcept;
    void wait(int fd, const std::shared_ptr<watch>&);

    asio::io_context& io;
    dns_ports ports;
    shared_kept_memory udp_memory; // its operation may outlive the channel
    descriptor udp;                // readable when a port is
    bool udp_waits = false;
    ares_channel channel = nullptr;
    std::size_t tcp_open = 0;
    std::unordered_map<int, std::shared_ptr<watch>> sockets;
    std::size_t open_questions = 0; // halves of questions
    bool stopped = false;
    const std::shared_ptr<bool> alive = std::make_shared<bool>(true); // lets handlers that outlive this object detect its end
};

void dns_channel::parts::open(std::span<const endpoint> servers, std::chrono::milliseconds timeout)
{
    if (servers.empty()) throw std::runtime_error{"no DNS server"};
    servers = servers.first(std::min(servers.size(), limits::dns_servers));
    set_up_library();
    const auto plan = plan_tries(timeout, servers.size());
    ares_options o{};
    char lookups[] = "b"; // DNS only: no hosts file
    o.lookups = lookups;
    o.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    o.timeout = static_cast<int>(plan.first.count());
    o.tries = plan.rounds;
    o.ndots = 0;
    in_addr loopback{htonl(INADDR_LOOPBACK)}; // replaces the servers of resolv.conf until the real ones are set
    o.servers = &loopback;
    o.nservers = 1;
    o.sock_state_cb_data = this;
    o.sock_state_cb = [](void* self, ares_socket_t fd, int r, int w) {
        try {
            static_cast<parts*>(self)->socket_state(fd, r != 0, w != 0);
        } catch (const std::exception&) {} // not watched for lack of memory: the next sweep tries again
    };
    // With all of these given, c-ares reads no file. The empty list of domains prevents the use of the machine's search list.
    const int mask = ARES_OPT_LOOKUPS | ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_DOMAINS |
                     ARES_OPT_SORTLIST | ARES_OPT_SERVERS | ARES_OPT_NOROTATE | ARES_OPT_SOCK_STATE_CB;
    if (const int said = ::ares_init_options(&channel, &o, mask); said != ARES_SUCCESS) throw std::runtime_error{ares_strerror(said)};
    std::string list;
    for (const auto& s : servers) (list += s.to_string()) += ',';
    list.pop_back();
    if (const int said = ::ares_set_servers_ports_csv(channel, list.c_str()); said != ARES_SUCCESS)
        throw std::runtime_error{ares_strerror(said)};
    ::ares_set_socket_functions(channel, &socket_functions(), this);
    ports.share_among(servers.size());
    wait_for_ports();
}

void dns_channel::parts::socket_state(int fd, bool read, bool write)
{
    if (dns_ports::is_line(fd)) return;
    if (!read && !write) { // c-ares closes it next: release it now, because its number may be reused at once
        if (const auto at = sockets.find(fd); at != sockets.end()) at->second->on.release();
        sockets.erase(fd);
        return;
    }
    auto at = sockets.find(fd);
    if (at == sockets.end()) at = sockets.emplace(fd, std::make_shared<watch>(io, fd)).first;
    const auto w = at->second;
    w->want_read = read;
    w->want_write = write;
    wait(fd, w);
}

void dns_channel::parts::wait_for_ports() noexcept
{
    if (udp_waits || stopped) return;
    udp_waits = true;
    try {
        udp.async_wait(descriptor::wait_read,
                       asio::bind_allocator(udp_memory.memory(), [this, left = std::weak_ptr{alive}](boost::system::error_code failed) {
                           if (failed || left.expired()) return; // stopped: this object must not be touched
                           udp_waits = false;
                           ports.turn([this](int line) { ::ares_process_fd(channel, line, ARES_SOCKET_BAD); });
                           wait_for_ports();
                       }));
    } catch (const std::exception&) { // the next sweep tries again
        udp_waits = false;
    }
}

// c-ares opens TCP connections itself: at most one to each server.
int dns_channel::parts::open_socket(int family, int type) noexcept
{
    if (type == SOCK_DGRAM) return ports.open();
    if (tcp_open >= limits::dns_sockets - limits::dns_ports) {
        errno = EMFILE;
        return -1;
    }
    const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++tcp_open;
    return fd;
}

// c-ares calls these instead of the kernel.
const ares_socket_functions& dns_channel::parts::socket_functions() noexcept
{
    static constexpr auto home = [](void* self) -> parts& { return *static_cast<parts*>(self); };
    static const ares_socket_functions functions{
        [](int family, int type, int, void* self) { return home(self).open_socket(family, type); },
        [](ares_socket_t fd, void* self) {
            auto& p = home(self);
            if (dns_ports::is_line(fd)) return p.ports.close(fd), 0;
            --p.tcp_open;
            return ::close(fd);
        },
        [](ares_socket_t fd, const sockaddr* to, ares_socklen_t size, void* self) {
            return dns_ports::is_line(fd) ? home(self).ports.connect(fd, to, size) : ::connect(fd, to, size);
        },
        [](ares_socket_t fd, void* room, std::size_t size, int flags, sockaddr* from, ares_socklen_t* from_size,
           void* self) -> ares_ssize_t {
            if (!dns_ports::is_line(fd)) return ::recvfrom(fd, room, size, flags, from, from_size);
            return home(self).ports.receive(fd, {static_cast<char*>(room), size}, from, from_size);
        },
        [](ares_socket_t fd, const iovec* vectors, int count, void* self) -> ares_ssize_t {
            if (dns_ports::is_line(fd)) {
                const std::string_view query{static_cast<const char*>(vectors->iov_base), vectors->iov_len};
                return home(self).ports.send(fd, count == 1 ? query : std::string_view{}, std::chrono::steady_clock::now());
            }
            msghdr m{};
            m.msg_iov = const_cast<iovec*>(vectors);
            m.msg_iovlen = static_cast<std::size_t>(count);
            return ::sendmsg(fd, &m, MSG_NOSIGNAL);
        },
    };
    return functions;
}

// Watches the sockets that c-ares waits for but that could not be watched earlier for lack of memory.
void dns_channel::parts::watch_all() noexcept
{
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> open{};
    const auto mask = static_cast<unsigned>(::ares_getsock(channel, open.data(), ARES_GETSOCK_MAXNUM));
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
        const bool reads = ARES_GETSOCK_READABLE(mask, i), writes = ARES_GETSOCK_WRITABLE(mask, i);
        if (!reads && !writes) break;
        try {
            socket_state(open[i], reads, writes);
        } catch (const std::exception&) {
            return;
        }
    }
}

void dns_channel::parts::wait(int fd, const std::shared_ptr<watch>& w)
{
    const auto arm = [&](descriptor::wait_type type, bool want, bool watch::*armed) {
        if (!want || (*w).*armed || stopped) return;
        // The descriptor may be released before the handler runs; then the handler must not touch the channel.
        w->on.async_wait(type, [this, fd, type, armed, weak = std::weak_ptr{w}](boost::system::error_code failed) {
            const auto alive = weak.lock();
            if (!alive) return;
            (*alive).*armed = false;
            if (failed) return;
            const bool reads = type == descriptor::wait_read;
            ::ares_process_fd(channel, reads ? fd : ARES_SOCKET_BAD, reads ? ARES_SOCKET_BAD : fd);
            if (const auto at = sockets.find(fd); at != sockets.end() && at->second == alive) wait(fd, alive);
        });
        (*w).*armed = true; // only now: async_wait may have thrown
    };
    arm(descriptor::wait_read, w->want_read, &watch::reading);
    arm(descriptor::wait_write, w->want_write, &watch::writing);
}

// From here on c-ares owns the question; it answers once, possibly at once.
void dns_channel::parts::ask(const std::string& absolute, std::unique_ptr<half_question> q) noexcept
{
    ares_addrinfo_hints hints{};
    hints.ai_flags = ARES_AI_NOSORT; // connect() orders the addresses, and c-ares would open sockets to do it
    hints.ai_family = q->half == dns_half::a ? AF_INET : AF_INET6;
    hints.ai_socktype = SOCK_STREAM;
    const auto done = [](void* data, int status, int, ares_addrinfo* info) {
        const std::unique_ptr<half_question> asked{static_cast<half_question*>(data)};
        auto answer = read_answer(status, info);
        ::ares_freeaddrinfo(info);
        (*asked->call)(asked->half, std::move(answer));
    };
    ::ares_getaddrinfo(channel, absolute.c_str(), nullptr, &hints, done, q.release());
}

dns_channel::dns_channel(asio::io_context& io, std::span<const endpoint> servers, std::chrono::milliseconds timeout)
    : parts_{std::make_unique<parts>(io, timeout)}
{
    parts_->open(servers, timeout);
}

dns_channel::~dns_channel() = default;

// All memory is allocated before the first half is sent.
void dns_channel::ask(const std::string& name, answer_handler handler)
{
    const auto absolute = name + '.';
    const auto call = std::make_shared<const answer_handler>(std::move(handler));
    auto a = std::make_unique<parts::half_question>(*parts_, dns_half::a, call);
    auto aaaa = std::make_unique<parts::half_question>(*parts_, dns_half::aaaa, call);
    parts_->ask(absolute, std::move(a));
    parts_->ask(absolute, std::move(aaaa));
}

bool dns_channel::idle() const noexcept { return parts_->open_questions == 0; }

void dns_channel::sweep()
{
    ::ares_process_fd(parts_->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); // handles its time-outs
    parts_->watch_all();
    parts_->ports.expire(std::chrono::steady_clock::now());
    parts_->wait_for_ports();
}

void dns_channel::stop()
{
    parts_->stopped = true;
    ::ares_cancel(parts_->channel);
    parts_->sockets.clear();
    boost::system::error_code ignored;
    parts_->udp.cancel(ignored);
}

} // namespace exeat::net
