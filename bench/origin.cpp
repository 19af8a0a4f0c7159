// origin ROLE=ADDRESS:PORT…: the servers behind the proxies, in one thread. Roles:
//   echo     sends back what it gets          sink     drops what comes after the first bytes, which it sends back
//   source   after the first bytes sends a ServerHello, and then without end
//            A ClientHello comes back as a ServerHello of the same bytes: a proxy may watch a handshake until there is one.
//   http     answers each request with 128 bytes, keep-alive unless it says close
//   tunnel_echo, tunnel_sink, tunnel_source    the same behind a CONNECT head that it answers with 200 itself: for a filter like HAProxy,
//            which passes CONNECT on and leaves the tunnel to the server
#include "flood.hpp"

#include <csignal>
#include <cstdio>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace exeat::bench {

namespace {

// The type of a handshake message behind its record's header (RFC 8446 sections 4 and 5.1).
constexpr std::size_t message_type = 5;
constexpr char client_hello = 1, server_hello = 2;

std::string source_begins()
{
    const std::string record_and_message{"\x16\x03\x03\x00\x2a\x02\x00\x00\x26", 9};
    return record_and_message + std::string(38, '\x03');
}

enum class role { echo, sink, source, http };

struct watched {
    virtual ~watched() = default;
    virtual void ready(std::uint32_t events) = 0;
};

struct server {
    epoll events;
    flood bytes;
    std::vector<char> scratch = std::vector<char>(64 * 1024);
    std::vector<std::unique_ptr<watched>> ended; // kept until the batch of events is over
};

class connection : public watched {
public:
    connection(unique_fd fd, role r, bool head_first, server& s) : fd_{std::move(fd)}, role_{r}, head_{head_first}, server_{s}
    {
        s.events.watch(fd_.value(), this);
    }

    void ready(std::uint32_t events) override
    {
        if (over_) return;
        if (events & (EPOLLERR | EPOLLHUP)) return end();
        client_done_ = client_done_ || (events & EPOLLRDHUP);
        if (client_done_ && role_ == role::source) return end();
        if (!send_kept()) return end();
        if (head_ || role_ == role::http || role_ == role::echo || (role_ == role::sink && !begun_)) return by_copy();
        if (role_ == role::source && begun_) return pour();
        discard();
    }

private:
    void end()
    {
        over_ = true;
        server_.ended.emplace_back(this);
        fd_.reset();
    }

    bool send_kept()
    {
        while (!kept_.empty()) {
            const auto n = put(fd_.value(), kept_);
            if (n == again) return true;
            if (n < 0) return false;
            kept_.erase(0, static_cast<std::size_t>(n));
        }
        return true;
    }

    bool reply(std::string_view bytes)
    {
        kept_ += bytes;
        return send_kept();
    }

    void by_copy()
    {
        while (kept_.empty()) {
            const auto n = take(fd_.value(), server_.scratch);
            if (n == again) return;
            if (n <= 0 || !answer(std::span{server_.scratch}.first(static_cast<std::size_t>(n)))) return end();
            if (over_ || (!head_ && (role_ == role::sink || role_ == role::source))) return;
            if (static_cast<std::size_t>(n) < server_.scratch.size() && !client_done_) return; // drained; the end has an event of its own
        }
    }

    bool answer(std::span<char> taken)
    {
        const bool begins = !head_ && role_ != role::http && !std::exchange(begun_, true);
        if (begins && taken.size() > message_type && taken[message_type] == client_hello) taken[message_type] = server_hello;
        const std::string_view bytes{taken.data(), taken.size()};
        if (!head_ && role_ != role::http) {
            const auto n = put(fd_.value(), bytes);
            if (n == broken) return false;
            if (n != static_cast<long>(bytes.size())) kept_ = bytes.substr(n == again ? 0 : static_cast<std::size_t>(n));
            return true;
        }
        said_ += bytes;
        for (std::size_t end; (end = said_.find("\r\n\r\n")) != std::string::npos;) {
            const auto head = said_.substr(0, end + 4);
            said_.erase(0, end + 4);
            if (head_) return after_connect();
            if (!reply(response)) return false;
            if (head.find("onnection: close") != std::string::npos) return false;
        }
        return true;
    }

    bool after_connect()
    {
        head_ = false;
        if (!reply("HTTP/1.1 200 OK\r\n\r\n")) return false;
        return role_ != role::echo || said_.empty() || reply(std::exchange(said_, {}));
    }

    void discard()
    {
        for (;;) {
            const auto n = drop(fd_.value());
            if (n == again) return;
            if (n <= 0) return end();
            if (role_ == role::source) {
                begun_ = true;
                if (!reply(source_begins())) return end();
                return pour();
            }
        }
    }

    void pour()
    {
        for (int turns = 0; turns < 16; ++turns) {
            const auto n = server_.bytes.pour(fd_.value());
            if (n == again) return;
            if (n < 0) return end();
        }
        server_.events.rearm(fd_.value(), this);
    }

    static constexpr std::string_view response =
        "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: "
        "128\r\n\r\n"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    unique_fd fd_;
    const role role_;
    bool head_; // a CONNECT head comes first
    bool begun_ = false, client_done_ = false, over_ = false;
    server& server_;
    std::string said_, kept_;
};

class listener : public watched {
public:
    listener(const sockaddr_in& at, role r, bool head_first, server& s) : fd_{listen_on(at)}, role_{r}, head_{head_first}, server_{s}
    {
        s.events.watch(fd_.value(), this, EPOLLIN);
    }

    void ready(std::uint32_t) override
    {
        for (int i = 0; i < 64; ++i) {
            auto fd = accept_one(fd_.value());
            if (!fd) return;
            new connection{std::move(fd), role_, head_, server_}; // owns itself; goes through server::ended
        }
    }

private:
    unique_fd fd_;
    const role role_;
    const bool head_;
    server& server_;
};

role role_of(std::string_view name)
{
    if (name == "echo") return role::echo;
    if (name == "sink") return role::sink;
    if (name == "source") return role::source;
    if (name == "http") return role::http;
    fail("there is no such role");
}

int serve(std::span<char*> arguments)
{
    ::signal(SIGPIPE, SIG_IGN); // sendfile(2) has no MSG_NOSIGNAL
    raise_descriptor_limit();
    server s;
    std::vector<std::unique_ptr<watched>> listeners;
    for (const std::string_view each : arguments) {
        auto name = each.substr(0, each.find('='));
        const bool head_first = name.starts_with("tunnel_");
        if (head_first) name.remove_prefix(7);
        listeners.push_back(std::make_unique<listener>(endpoint(each.substr(each.find('=') + 1)), role_of(name), head_first, s));
    }
    std::puts("ready");
    std::fflush(stdout);
    for (;;) {
        for (const auto& e : s.events.wait(-1)) static_cast<watched*>(e.data.ptr)->ready(e.events);
        s.ended.clear();
    }
}

} // namespace

} // namespace exeat::bench

int main(int argc, char** argv) { return exeat::bench::serve({argv + 1, argv + argc}); }
