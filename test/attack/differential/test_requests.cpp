#include "mutated_request.hpp"

#include <exeat/request_head.hpp>

#include <boost/beast/http.hpp>
#include <doctest/doctest.h>

using namespace exeat;
using namespace exeat::test;

namespace http = boost::beast::http;

namespace {

using beast_parser = http::request_parser<http::empty_body>;

// Beast's reading of one head; its error, or success.
boost::system::error_code parse(beast_parser& parser, std::string_view head)
{
    boost::system::error_code failed;
    parser.header_limit(1 << 20);
    parser.body_limit(boost::none);
    parser.put(boost::asio::buffer(head.data(), head.size()), failed);
    if (!failed && !parser.is_header_done()) failed = http::error::need_more;
    return failed;
}

std::string_view text(boost::beast::string_view s) { return {s.data(), s.size()}; }

// Whether Beast's one Host is the target's, with the port that a Host without one stands for. A CONNECT's may be another one's, and then
// that is known.
void compare_host(const beast_parser::value_type& theirs, const request_head& ours)
{
    const auto count = theirs.count(http::field::host);
    REQUIRE(count <= 1);
    if (count == 0) return;
    const bool connects = ours.method == "CONNECT";
    const auto named = parse_authority(text(theirs[http::field::host]), ours.to.via, connects ? ours.to.port : std::uint16_t{80});
    const bool same = named && *named == ours.to;
    REQUIRE(ours.other_host == (connects && !same));
    REQUIRE((same || connects));
}

void compare(const request_head& ours, const beast_parser& parser)
{
    const auto& theirs = parser.get();
    REQUIRE(text(theirs.method_string()) == ours.method);
    REQUIRE(theirs.version() == 10 + ours.minor);
    if (ours.method != "CONNECT" && ours.path != "*") REQUIRE((text(theirs.target()).ends_with(ours.path) || ours.path == "/"));
    compare_host(theirs, ours);
    using kind = body_framing::kind;
    REQUIRE(parser.chunked() == (ours.body.how == kind::chunked));
    auto length = parser.content_length();
    if (ours.method == "CONNECT" && length && *length == 0) length.reset(); // it has no content (RFC 9110 section 9.3.6), and says so
    REQUIRE(length.has_value() == (ours.body.how == kind::length));
    if (length) REQUIRE(*length == ours.body.length);
    // Beast takes this for Connection; RFC 9112 appendix C.2.2 tells of it to be ignored.
    if (theirs.count(http::field::proxy_connection) == 0) REQUIRE(parser.keep_alive() == ours.keep_alive);
    std::size_t fields = 0;
    auto mine = ours.fields;
    for (header_fields::field f; mine.next(f); ++fields) REQUIRE(theirs.count({f.name.data(), f.name.size()}) > 0);
    REQUIRE(static_cast<std::size_t>(std::distance(theirs.begin(), theirs.end())) == fields);
}

// Beast also reads the connection's own fields, which exeat passes on to nobody, and refuses one that is no list of tokens.
bool refused_for_a_hop(boost::system::error_code failed, const request_head& ours)
{
    const auto own = [](std::string_view name) {
        return equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "proxy-connection");
    };
    auto fields = ours.fields;
    for (header_fields::field f; fields.next(f);)
        if (failed == http::error::bad_value && own(f.name)) return true;
    return false;
}

struct tally {
    std::size_t both = 0, only_beast = 0, neither = 0;
};

template <class Scan> tally compare_all(request_source source, std::size_t requests, Scan scan_request)
{
    tally count;
    for (std::size_t n = 0; n < requests; ++n) {
        const auto head = source.next();
        CAPTURE(n);
        CAPTURE(head);
        const request_scan scan = scan_request(head);
        beast_parser parser;
        const auto failed = parse(parser, head);
        if (const auto* ours = std::get_if<request_head>(&scan)) {
            if (refused_for_a_hop(failed, *ours)) continue;
            REQUIRE_MESSAGE(!failed, failed.message());
            compare(*ours, parser);
            ++count.both;
        } else {
            ++(failed ? count.neither : count.only_beast);
        }
    }
    return count;
}

} // namespace

TEST_CASE("no request head that is accepted is another request for Beast")
{
    constexpr std::size_t requests = 100'000;
    const auto proxy = compare_all({11, "http://ok.test/"}, requests, [](std::string_view head) { return scan_proxy_request(head); });
    const auto origin = compare_all({12, "/a?b"}, requests, [](std::string_view head) { return scan_origin_request(head, 80); });
    MESSAGE("proxy: " << proxy.both << " accepted by both, " << proxy.only_beast << " by Beast alone, " << proxy.neither << " by neither");
    MESSAGE("origin: " << origin.both << " accepted by both, " << origin.only_beast << " by Beast alone, " << origin.neither
                       << " by neither");
    CHECK(proxy.both > requests / 20);
    CHECK(origin.both > requests / 20);
    CHECK(proxy.only_beast > requests / 50);
    CHECK(proxy.neither > requests / 20);
}
