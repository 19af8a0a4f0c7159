#include <cli/live/fetch.hpp>

#include <cli/live/printable.hpp>
#include <exeat/limits.hpp>
#include <ops/process/tcp_endpoint.hpp>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

namespace exeat::cli::live {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using answer = boost::system::result<std::string, std::string>;

template <class... Parts> answer error(fmt::format_string<Parts...> form, Parts&&... parts)
{
    return answer{boost::system::in_place_error, fmt::format(form, std::forward<Parts>(parts)...)};
}

std::string in_words(error_code failed)
{
    auto text = failed.message();
    if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
    return text;
}

answer no_connection(const admin_site& site, error_code failed)
{
    const auto why =
        failed == beast::error::timeout ? fmt::format("no connection within {} s", limits::top_time.count()) : in_words(failed);
    return error("cannot reach {}: {}; is exeat running, and is [admin] address that?", site.url, why);
}

answer no_answer(const std::string& what, error_code failed)
{
    if (failed == beast::error::timeout) return error("{} does not answer within {} s", what, limits::top_time.count());
    if (failed == http::error::body_limit)
        return error("{} answers more than {} MiB; is it exeat?", what, limits::top_answer_bytes / (1024 * 1024));
    if (failed == http::error::partial_message || failed == http::error::end_of_stream)
        return error("{} ends the connection within its answer", what);
    return error("{} does not answer as HTTP: {}; is it exeat?", what, in_words(failed));
}

answer refused(const std::string& what, const http::response<http::string_body>& r)
{
    const auto line = r.body().substr(0, r.body().find('\n'));
    return error("{} answers {}{}{}; is it an exeat of this version?", what, r.result_int(), line.empty() ? "" : ": ",
                 clipped(printable(line, charset::ascii), 80));
}

} // namespace

asio::awaitable<answer> fetch(const admin_site& site, std::string path)
{
    const auto what = site.url + path.substr(0, path.find('?'));
    std::vector<asio::ip::tcp::endpoint> addresses;
    for (const auto& e : site.addresses) addresses.push_back(ops::to_tcp(e));
    beast::tcp_stream stream{co_await asio::this_coro::executor};
    stream.expires_after(limits::top_time); // for connection, request and answer together
    error_code failed;
    co_await stream.async_connect(addresses, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return no_connection(site, failed);

    const auto question = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: exeat top\r\nConnection: close\r\n\r\n", path, site.host);
    const auto octets = asio::buffer(question);
    co_await asio::async_write(stream, octets, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return no_answer(what, failed);

    beast::flat_buffer seen{limits::scratch_bytes};
    http::response_parser<http::string_body> parser;
    parser.header_limit(limits::top_head_bytes);
    parser.body_limit(limits::top_answer_bytes);
    co_await http::async_read(stream, seen, parser, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return no_answer(what, failed);
    if (parser.get().result() != http::status::ok) co_return refused(what, parser.get());
    co_return answer{boost::system::in_place_value, std::move(parser.get().body())};
}

} // namespace exeat::cli::live
