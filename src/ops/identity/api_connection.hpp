// A connection to the API server of Kubernetes: always TLS 1.2 or later, with a certificate that the configured authorities have issued for
// the configured name or address. The token is read from its file for each request and kept nowhere. Redirects are not followed. Every step
// has a deadline; after an error the connection is of no more use. One thread.
#pragma once

#include <exeat/config.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/system/result.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

struct api_failure {
    std::string why{};    // a sentence
    bool expired = false; // the server no longer has the version that was asked for
};
template <class T> using api_answer = boost::system::result<T, api_failure>;

struct api_request {
    std::string_view verb{}; // of RBAC, for a token that may not
    std::string space{};     // namespace; empty: all
    std::string query{};     // of the URL
};

class api_connection {
public:
    explicit api_connection(const api_server_settings& to);

    // The whole body. Opens the connection unless the request before has left it open.
    boost::asio::awaitable<api_answer<std::string>> fetch(const api_request&);
    // Opens the connection and returns with the head of the answer.
    boost::asio::awaitable<api_answer<void>> begin_watch(const api_request&);
    // What was received since, valid until the next call; empty: the server has ended the answer.
    boost::asio::awaitable<api_answer<std::string_view>> receive(std::chrono::steady_clock::time_point until);

private:
    using tls_stream = boost::asio::ssl::stream<boost::beast::tcp_stream>;
    using watch_parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;

    boost::asio::awaitable<api_answer<void>> open();
    boost::asio::awaitable<api_answer<void>> shake_hands();
    boost::asio::awaitable<api_answer<void>> send(const api_request&);
    api_failure failed(std::string_view what, boost::system::error_code) const;
    api_answer<void> judge(const boost::beast::http::fields&, unsigned status, const api_request&) const;

    const api_server_settings& to_;
    const std::string authority_; // as a URL writes it
    std::optional<boost::asio::ssl::context> tls_;
    std::optional<tls_stream> stream_; // empty: closed
    boost::beast::flat_buffer seen_;
    std::optional<watch_parser> watch_;
    std::vector<char> piece_;
};

} // namespace exeat::ops
