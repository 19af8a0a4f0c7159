#include <ops/admin/admin.hpp>

#include <exeat/client.hpp>
#include <net/sockets/socket.hpp>
#include <ops/admin/admin_pages.hpp>
#include <ops/admin/admin_places.hpp>
#include <ops/process/tcp_endpoint.hpp>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>

namespace exeat::ops {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using request_parser = http::request_parser<http::empty_body>;
using response = http::response<http::string_body>;

// The error page for a malformed request; the connection closes after it.
std::optional<admin_page> objection(const request_parser& parser, error_code failed)
{
    if (failed == http::error::header_limit || failed == http::error::buffer_overflow) return plain_page(431, "the head is too large\n");
    if (failed) return plain_page(400, "this is no HTTP request\n");
    if (parser.chunked() || parser.content_length().value_or(0) > 0) return plain_page(413, "no bodies\n");
    const auto hosts = parser.get().count(http::field::host);
    if (hosts > 1 || (hosts == 0 && parser.get().version() >= 11)) return plain_page(400, "one Host field, please\n");
    return std::nullopt;
}

admin_request request_of(const request_parser& parser)
{
    const auto& head = parser.get();
    admin_request r{{head.method_string().data(), head.method_string().size()}, {head.target().data(), head.target().size()}, {}};
    if (const auto host = head.find(http::field::host); host != head.end())
        r.host = std::string_view{host->value().data(), host->value().size()};
    return r;
}

response to_response(admin_page page, const request_parser& parser, bool keep_alive)
{
    response r{static_cast<http::status>(page.status), std::max(10u, parser.get().version())};
    r.set(http::field::content_type, beast::string_view{page.type.data(), page.type.size()});
    r.set("X-Content-Type-Options", "nosniff");
    r.set(http::field::cache_control, "no-store");
    r.set("Content-Security-Policy", beast::string_view{page.security.data(), page.security.size()});
    r.set("Cross-Origin-Resource-Policy", "same-origin");
    r.set("Referrer-Policy", "no-referrer");
    if (page.status == 405) r.set(http::field::allow, "GET, HEAD");
    r.content_length(page.body.size());
    if (parser.get().method() != http::verb::head) r.body() = std::move(page.body);
    r.keep_alive(keep_alive);
    return r;
}

// The peer has closed the connection or its time is over, so no answer is sent.
bool nobody_there(error_code failed) { return failed && failed.category() != make_error_code(http::error::bad_method).category(); }

} // namespace

struct admin_hall {
    admin_hall(asio::io_context& io, const tcp::endpoint& at) : acceptor{io, at} {}
    admin_hall(asio::io_context& io, net::unique_fd listening) : acceptor{io}
    {
        const bool v4 = net::local_endpoint(listening.value()).value().address.is_v4();
        acceptor.assign(v4 ? tcp::v4() : tcp::v6(), listening.value());
        listening.release();
    }
    tcp::acceptor acceptor;
    std::optional<admin_pages> pages;
    std::optional<tunnel_desk> desk;
    admin_places places{limits::admin_connections};
    bool accepting = false;
};

namespace {

using shared_hall = std::shared_ptr<admin_hall>;

// Takes the request by value; the parser's bytes that it refers to do not change while the workers are asked.
asio::awaitable<admin_page> page_for(shared_hall hall, admin_request r)
{
    auto answer = hall->pages->answer(r);
    if (auto* page = std::get_if<admin_page>(&answer)) co_return std::move(*page);
    const auto& asked = std::get<tunnel_page>(answer);
    auto found = co_await hall->desk->look(asked.of);
    co_return hall->pages->tunnels(asked, std::move(found));
}

asio::awaitable<void> converse(tcp::socket socket, shared_hall hall, ip_address peer)
{
    beast::tcp_stream stream{std::move(socket)};
    admin_places::place held{hall->places, peer, [&stream] { stream.close(); }};
    beast::flat_buffer seen{limits::admin_head_bytes};
    for (bool keep_alive = true; keep_alive;) {
        stream.expires_after(limits::admin_head_time);
        held.waits();
        request_parser parser;
        parser.header_limit(limits::admin_head_bytes);
        error_code failed;
        co_await http::async_read_header(stream, seen, parser, asio::redirect_error(asio::use_awaitable, failed));
        if (nobody_there(failed) || failed == http::error::end_of_stream || failed == http::error::partial_message) co_return;
        held.is_served();
        stream.expires_after(limits::admin_time);
        auto page = objection(parser, failed);
        keep_alive = !page && parser.get().keep_alive();
        if (!page) page = co_await page_for(hall, request_of(parser));
        const auto reply = to_response(std::move(*page), parser, keep_alive);
        co_await http::async_write(stream, reply, asio::redirect_error(asio::use_awaitable, failed));
        if (failed) co_return;
    }
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

// The address that the connection is counted under; absent: the connection is already closed.
std::optional<ip_address> peer_of(const tcp::socket& socket)
{
    error_code failed;
    const auto from = socket.remote_endpoint(failed);
    if (failed) return std::nullopt;
    return known_as(from_tcp(from).address, 0, limits::client_prefix).key;
}

// False when the listener is closed. Throws or sets `tired` when descriptors or memory have run out.
asio::awaitable<bool> accept_one(shared_hall hall, bool& tired)
{
    auto& acceptor = hall->acceptor;
    error_code failed;
    if (std::exchange(tired, false)) { // an immediate retry would spin
        asio::steady_timer pause{acceptor.get_executor(), limits::accept_pause};
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
    }
    tcp::socket socket{acceptor.get_executor()};
    co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, failed));
    if (failed == asio::error::operation_aborted) co_return false;
    tired = bool{failed};
    const auto peer = failed ? std::nullopt : peer_of(socket);
    if (!peer || !hall->places.make_room(*peer)) co_return true; // closes the socket
    asio::co_spawn(acceptor.get_executor(), converse(std::move(socket), hall, *peer), asio::detached);
    co_return true;
}

struct presence { // marks that the accept loop runs
    explicit presence(admin_hall& h) : hall{h} { hall.accepting = true; }
    ~presence() { hall.accepting = false; }
    presence(const presence&) = delete;
    presence& operator=(const presence&) = delete;
    admin_hall& hall;
};

asio::awaitable<void> accept(shared_hall hall)
{
    const presence here{*hall};
    for (bool more = true, tired = false; more && hall->acceptor.is_open();) {
        try {
            more = co_await accept_one(hall, tired);
        } catch (const std::bad_alloc&) {
            tired = true;
        }
    }
}

} // namespace

admin::admin(asio::io_context& io, const endpoint& address) : io_{io}, hall_{std::make_shared<admin_hall>(io, to_tcp(address))} {}

admin::admin(asio::io_context& io, net::unique_fd listening) : io_{io}, hall_{std::make_shared<admin_hall>(io, std::move(listening))} {}

admin::~admin() { close(); }

endpoint admin::local() const { return from_tcp(hall_->acceptor.local_endpoint()); }

void admin::serve(const metrics& numbers, history& past, tunnel_lister ask)
{
    hall_->pages.emplace(numbers, past);
    hall_->desk.emplace(std::move(ask));
    keep_accepting();
}

void admin::keep_accepting()
{
    if (!hall_->accepting && hall_->acceptor.is_open()) asio::co_spawn(io_, accept(hall_), asio::detached);
}

void admin::close()
{
    error_code ignored;
    if (hall_->acceptor.is_open()) {
        // acceptor.close() would leave the epoll registration of a socket that another process keeps open.
        const net::unique_fd listening{hall_->acceptor.release(ignored)};
    }
    hall_->places.close_all();
}

} // namespace exeat::ops
