#include <ops/identity/api_connection.hpp>

#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>
#include <ops/identity/api_token.hpp>
#include <ops/process/tcp_endpoint.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace exeat::ops {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t piece_octets = 64 * 1024;

api_answer<void> refused(std::string why, bool expired = false)
{
    return {boost::system::in_place_error, api_failure{std::move(why), expired}};
}

std::string authority_of(const api_server_settings& s)
{
    const bool v6 = s.host.find(':') != s.host.npos;
    return fmt::format("{}{}{}:{}", v6 ? "[" : "", s.host, v6 ? "]" : "", s.port);
}

// The certificate must be of the name or address that was configured, whatever DNS says.
bool expect_host(SSL* of, const std::string& host)
{
    auto* checks = ::SSL_get0_param(of);
    ::X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ::X509_VERIFY_PARAM_set_flags(checks, X509_V_FLAG_PARTIAL_CHAIN); // an intermediate authority in `ca` is trusted, as kubectl does
    if (ip_address::parse(host)) return ::X509_VERIFY_PARAM_set1_ip_asc(checks, host.c_str()) == 1;
    return ::SSL_set1_host(of, host.c_str()) == 1 &&
           ::SSL_ctrl(of, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str())) == 1;
}

// A server that is gone without a word is noticed before the watch has been silent for too long.
void probe_when_idle(tcp::socket& s)
{
    using idle = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
    using interval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
    using probes = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
    error_code ignored;
    s.set_option(asio::socket_base::keep_alive{true}, ignored);
    s.set_option(idle{10}, ignored);
    s.set_option(interval{5}, ignored);
    s.set_option(probes{3}, ignored);
}

} // namespace

api_connection::api_connection(const api_server_settings& to)
    : to_{to}, authority_{authority_of(to)}, seen_{limits::api_head_bytes + piece_octets}, piece_(piece_octets)
{}

api_failure api_connection::failed(std::string_view what, error_code why) const
{
    if (why == beast::error::timeout) return {fmt::format("https://{}: no {} in time", authority_, what)};
    if (why == http::error::body_limit)
        return {fmt::format("https://{}: its answer has more than {} MiB", authority_, limits::api_page_bytes >> 20)};
    if (why == http::error::header_limit)
        return {fmt::format("https://{}: the head of its answer has more than {} KiB", authority_, limits::api_head_bytes >> 10)};
    if (why == http::error::partial_message || why == http::error::end_of_stream || why == asio::error::eof ||
        why == asio::ssl::error::stream_truncated || why == asio::error::connection_reset)
        return {fmt::format("https://{}: the connection ended; {} was expected", authority_, what)};
    return {fmt::format("https://{}: no {}: {}", authority_, what, why.message())};
}

asio::awaitable<api_answer<void>> api_connection::open()
{
    error_code failure;
    seen_.clear();
    stream_.reset();
    tls_.emplace(asio::ssl::context::tls_client);
    tls_->set_verify_mode(asio::ssl::verify_peer);
    if (::SSL_CTX_set_min_proto_version(tls_->native_handle(), TLS1_2_VERSION) != 1) co_return refused("TLS cannot be set up");
    tls_->load_verify_file(to_.ca, failure);
    if (failure) co_return refused(fmt::format("{}: authorities for the API server cannot be read: {}", to_.ca, failure.message()));

    const auto executor = co_await asio::this_coro::executor;
    std::vector<tcp::endpoint> addresses;
    if (const auto literal = ip_address::parse(to_.host)) addresses.push_back(to_tcp({*literal, to_.port}));
    else {
        tcp::resolver names{executor}; // bounded by the C library's own timeouts
        const auto port = std::to_string(to_.port);
        const auto found = co_await names.async_resolve(to_.host, port, tcp::resolver::numeric_service,
                                                        asio::redirect_error(asio::use_awaitable, failure));
        if (failure) co_return failed("address", failure);
        for (const auto& each : found) addresses.push_back(each.endpoint());
    }
    stream_.emplace(executor, *tls_);
    beast::get_lowest_layer(*stream_).expires_after(limits::api_open_time);
    co_await beast::get_lowest_layer(*stream_).async_connect(addresses, asio::redirect_error(asio::use_awaitable, failure));
    if (failure) {
        stream_.reset();
        co_return failed("connection", failure);
    }
    probe_when_idle(beast::get_lowest_layer(*stream_).socket());
    co_return co_await shake_hands();
}

asio::awaitable<api_answer<void>> api_connection::shake_hands()
{
    error_code failure;
    if (!expect_host(stream_->native_handle(), to_.host)) co_return refused("TLS cannot be set up");
    co_await stream_->async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, failure));
    if (!failure) co_return api_answer<void>{};
    const auto verdict = ::SSL_get_verify_result(stream_->native_handle());
    stream_.reset();
    if (verdict == X509_V_OK) co_return failed("TLS handshake", failure);
    co_return refused(fmt::format("https://{}: its certificate is not taken: {}; see 'server' and 'ca' of [kubernetes]", authority_,
                                  ::X509_verify_cert_error_string(verdict)));
}

asio::awaitable<api_answer<void>> api_connection::send(const api_request& r)
{
    if (!stream_) {
        const auto opened = co_await open();
        if (!opened) co_return opened.error();
    }
    auto token = read_api_token(to_.token);
    if (!token) co_return refused(std::move(token).error());
    auto text = fmt::format("GET /api/v1/{}{}pods?{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: exeat identities\r\nAccept: application/json\r\n"
                            "Authorization: Bearer {}\r\n\r\n",
                            r.space.empty() ? "" : "namespaces/" + r.space, r.space.empty() ? "" : "/", r.query, authority_, *token);
    error_code failure;
    beast::get_lowest_layer(*stream_).expires_after(limits::api_page_time);
    const auto octets = asio::buffer(text);
    co_await asio::async_write(*stream_, octets, asio::redirect_error(asio::use_awaitable, failure));
    ::OPENSSL_cleanse(token->data(), token->size());
    ::OPENSSL_cleanse(text.data(), text.size());
    if (!failure) co_return api_answer<void>{};
    stream_.reset();
    co_return failed("answer", failure);
}

api_answer<void> api_connection::judge(const http::fields& fields, unsigned status, const api_request& r) const
{
    const auto where = r.space.empty() ? std::string{"of all namespaces"} : fmt::format("of the namespace {}", r.space);
    const auto refuse = [&](std::string_view what, bool expired = false) {
        return refused(fmt::format("https://{}: {}", authority_, what), expired);
    };
    if (status == 401) return refuse(fmt::format("the token in {} is not taken (401); it may have expired", to_.token));
    if (status == 403)
        return refuse(fmt::format("the token in {} may not {} the pods {} (403); its service account needs a role with the verbs list and "
                                  "watch for pods",
                                  to_.token, r.verb, where));
    if (status == 410) return refuse(fmt::format("the version of the pods {} that was asked for is gone (410)", where), true);
    if (status >= 300 && status < 400) return refuse(fmt::format("it answers with a redirect ({}), which is not followed", status));
    if (status != 200) return refuse(fmt::format("it answers {}, and not 200", status));
    const auto type = fields[http::field::content_type];
    if (std::string_view{type.data(), type.size()}.substr(0, type.find(';')) != "application/json")
        return refuse("its answer is not application/json");
    return {};
}

asio::awaitable<api_answer<std::string>> api_connection::fetch(const api_request& r)
{
    using outcome = api_answer<std::string>;
    const auto sent = co_await send(r);
    if (!sent) co_return sent.error();
    error_code failure;
    http::response_parser<http::string_body> parser;
    parser.header_limit(limits::api_head_bytes);
    parser.body_limit(limits::api_page_bytes);
    co_await http::async_read_header(*stream_, seen_, parser, asio::redirect_error(asio::use_awaitable, failure));
    if (failure) {
        stream_.reset();
        co_return failed("head of an answer", failure);
    }
    if (const auto good = judge(parser.get(), parser.get().result_int(), r); !good) {
        stream_.reset();
        co_return good.error();
    }
    co_await http::async_read(*stream_, seen_, parser, asio::redirect_error(asio::use_awaitable, failure));
    if (failure || !parser.get().keep_alive()) stream_.reset();
    if (failure) co_return failed("whole answer", failure);
    co_return outcome{boost::system::in_place_value, std::move(parser.get().body())};
}

asio::awaitable<api_answer<void>> api_connection::begin_watch(const api_request& r)
{
    stream_.reset();
    const auto sent = co_await send(r);
    if (!sent) co_return sent.error();
    error_code failure;
    watch_.emplace();
    watch_->header_limit(limits::api_head_bytes);
    watch_->body_limit(boost::none);
    co_await http::async_read_header(*stream_, seen_, *watch_, asio::redirect_error(asio::use_awaitable, failure));
    if (failure) co_return failed("head of a watch", failure);
    co_return judge(watch_->get(), watch_->get().result_int(), r);
}

asio::awaitable<api_answer<std::string_view>> api_connection::receive(std::chrono::steady_clock::time_point until)
{
    using outcome = api_answer<std::string_view>;
    beast::get_lowest_layer(*stream_).expires_at(until);
    while (!watch_->is_done()) {
        auto& body = watch_->get().body();
        body.data = piece_.data(), body.size = piece_.size(), body.more = true;
        error_code failure;
        co_await http::async_read_some(*stream_, seen_, *watch_, asio::redirect_error(asio::use_awaitable, failure));
        const auto received = piece_.size() - watch_->get().body().size;
        if (received > 0) co_return outcome{boost::system::in_place_value, std::string_view{piece_.data(), received}};
        if (failure && failure != http::error::need_buffer) co_return failed("line of a watch", failure);
    }
    co_return outcome{boost::system::in_place_value, std::string_view{}};
}

} // namespace exeat::ops
