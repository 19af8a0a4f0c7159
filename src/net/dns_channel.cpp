#include <net/dns_channel.hpp>

#include <exeat/limits.hpp>
#include <net/socket.hpp>

#include <ares.h>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <netdb.h>
#include <stdexcept>
#include <unordered_map>

namespace exeat::net {

namespace asio = boost::asio;
using descriptor = asio::posix::stream_descriptor;

namespace {

// c-ares' own data: set up once per process, before any channel.
void set_up_library()
{
    static const int said = ::ares_library_init(ARES_LIB_INIT_ALL);
    if (said != ARES_SUCCESS) throw std::runtime_error{ares_strerror(said)};
}

// Two tries, the second twice as long: together the configured time.
int first_try(std::chrono::milliseconds whole) { return std::max(1, static_cast<int>(whole.count() / 3)); }

dns_result result_of(int status) noexcept
{
    switch (status) {
    case ARES_SUCCESS: return dns_result::answered;
    case ARES_ENODATA:
    case ARES_ENOTFOUND: return dns_result::no_data;
    case ARES_ETIMEOUT: return dns_result::timed_out;
    case ARES_EREFUSED:
    case ARES_ECONNREFUSED: return dns_result::refused;
    default: return dns_result::failed;
    }
}

dns_answer read_answer(int status, const ares_addrinfo* info)
{
    dns_answer a;
    a.result = result_of(status);
    a.ttl = limits::dns_ttl_ceiling;
    for (const auto* n = info ? info->nodes : nullptr; n && a.addresses.size() <= limits::dns_addresses; n = n->ai_next) {
        sockaddr_storage s{};
        if (n->ai_addrlen > sizeof s) continue;
        std::memcpy(&s, n->ai_addr, n->ai_addrlen);
        a.addresses.push_back(from_kernel(s).address);
        a.ttl = std::min(a.ttl, std::chrono::seconds{n->ai_ttl});
    }
    for (const auto* c = info ? info->cnames : nullptr; c; c = c->next) a.ttl = std::min(a.ttl, std::chrono::seconds{c->ttl});
    a.failed = status != ARES_SUCCESS || a.addresses.empty() || a.addresses.size() > limits::dns_addresses;
    if (a.failed && status == ARES_SUCCESS) a.result = dns_result::no_data;
    return a;
}

// Nothing may be thrown through c-ares.
dns_answer read_in_memory(int status, const ares_addrinfo* info) noexcept
{
    try {
        return read_answer(status, info);
    } catch (const std::bad_alloc&) {
        dns_answer none;
        none.result = dns_result::failed;
        none.failed = true;
        return none;
    }
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

    explicit parts(asio::io_context& i) : io{i} {}
    ~parts()
    {
        if (channel) ::ares_destroy(channel);
    }
    void open(const config&);
    void set_servers(const std::vector<endpoint>&);
    void socket_state(int fd, bool read, bool write);
    void watch_all() noexcept;
    void wait(int fd, const std::shared_ptr<watch>&);

    asio::io_context& io;
    ares_channel channel = nullptr;
    std::unordered_map<int, std::shared_ptr<watch>> sockets;
    bool stopped = false;
};

void dns_channel::parts::open(const config& c)
{
    set_up_library();
    ares_options o{};
    char lookups[] = "b"; // DNS only: no hosts file
    o.lookups = lookups;
    o.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    o.timeout = first_try(c.dns_timeout);
    o.tries = 2;
    o.ndots = 0;
    o.domains = nullptr;
    o.ndomains = 0; // else the machine's search list is taken
    o.sock_state_cb_data = this;
    o.sock_state_cb = [](void* self, ares_socket_t fd, int r, int w) {
        try {
            static_cast<parts*>(self)->socket_state(fd, r != 0, w != 0);
        } catch (const std::exception&) {} // not watched for lack of memory: the next sweep tries again
    };
    const int mask = ARES_OPT_LOOKUPS | ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_DOMAINS |
                     ARES_OPT_SOCK_STATE_CB;
    if (const int said = ::ares_init_options(&channel, &o, mask); said != ARES_SUCCESS) throw std::runtime_error{ares_strerror(said)};
    if (!c.dns_servers.empty()) set_servers(c.dns_servers);
}

void dns_channel::parts::set_servers(const std::vector<endpoint>& servers)
{
    std::string list;
    for (const auto& s : servers) (list += s.to_string()) += ',';
    if (!list.empty()) list.pop_back();
    if (const int said = ::ares_set_servers_ports_csv(channel, list.c_str()); said != ARES_SUCCESS)
        throw std::runtime_error{ares_strerror(said)};
}

void dns_channel::parts::socket_state(int fd, bool read, bool write)
{
    if (!read && !write) { // c-ares closes it next: let go of it now, its number may be another socket's in a moment
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

// Whatever c-ares waits for and we do not, because there was no memory when it began.
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
        // The descriptor may be released before the handler runs; then the channel must not be touched for it.
        w->on.async_wait(type, [this, fd, type, armed, weak = std::weak_ptr{w}](boost::system::error_code failed) {
            const auto alive = weak.lock();
            if (!alive) return;
            (*alive).*armed = false;
            if (failed) return;
            const bool reads = type == descriptor::wait_read;
            ::ares_process_fd(channel, reads ? fd : ARES_SOCKET_BAD, reads ? ARES_SOCKET_BAD : fd);
            if (const auto at = sockets.find(fd); at != sockets.end() && at->second == alive) wait(fd, alive);
        });
        (*w).*armed = true; // only now: it may have thrown
    };
    arm(descriptor::wait_read, w->want_read, &watch::reading);
    arm(descriptor::wait_write, w->want_write, &watch::writing);
}

dns_channel::dns_channel(asio::io_context& io, const config& c) : parts_{std::make_unique<parts>(io)} { parts_->open(c); }
dns_channel::~dns_channel() = default;

void dns_channel::ask(const std::string& name, answer_handler handler)
{
    ares_addrinfo_hints hints{};
    hints.ai_flags = ARES_AI_NOSORT; // connect() orders them, and c-ares would open sockets to do it
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    auto kept = std::make_unique<answer_handler>(std::move(handler));
    const auto done = [](void* data, int status, int, ares_addrinfo* info) {
        const std::unique_ptr<answer_handler> call{static_cast<answer_handler*>(data)};
        auto answer = read_in_memory(status, info);
        ::ares_freeaddrinfo(info);
        (*call)(std::move(answer));
    };
    const auto absolute = name + '.';
    ::ares_getaddrinfo(parts_->channel, absolute.c_str(), nullptr, &hints, done, kept.release());
}

void dns_channel::sweep()
{
    ::ares_process_fd(parts_->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); // its timeouts
    parts_->watch_all();
}

void dns_channel::stop()
{
    parts_->stopped = true;
    ::ares_cancel(parts_->channel);
    parts_->sockets.clear();
}

} // namespace exeat::net
