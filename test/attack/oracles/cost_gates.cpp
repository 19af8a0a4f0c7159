// Cost gates of the parsers that read what clients, upstreams, load balancers and files send: whatever the input says, it costs no more
// than so many times an honest one of its size, and twice the input costs about twice as much.
#include "cost.hpp"
#include "cost_inputs.hpp"

#include "../../unit/core/hello_builder.hpp"

#include <exeat/chunked_body.hpp>
#include <exeat/hostname.hpp>
#include <exeat/limits.hpp>
#include <exeat/names/name_index.hpp>
#include <exeat/proxy_header.hpp>
#include <exeat/request_head.hpp>
#include <exeat/tls/hello_retry.hpp>
#include <net/http/http_body.hpp>
#include <net/http/http_heads.hpp>
#include <vector>

using namespace exeat;
using namespace exeat::oracles;

namespace {

constexpr std::size_t request_octets = limits::request_head_bytes - 256, response_octets = limits::response_head_bytes - 256;
constexpr std::size_t fields = limits::header_fields - 8;

std::string request(const std::string& lines) { return "GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n" + lines + "\r\n"; }
std::string response(const std::string& lines) { return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + lines + "\r\n"; }

// Fields as clients send them, some of them long: cookies, tokens.
std::string honest_fields(std::size_t octets)
{
    return numbered([&](std::size_t n) { return "X-Field-" + std::to_string(n) + ": " + std::string(octets / 20 - 16, 'v') + "\r\n"; },
                    octets);
}

std::size_t forward_request(std::string_view in)
{
    const auto scan = scan_proxy_request(in);
    const auto* head = std::get_if<request_head>(&scan);
    return head ? net::head_for_upstream(*head).size() : scan.index();
}

std::size_t forward_response(std::string_view in)
{
    const auto scan = scan_response_head(in, "GET");
    const auto* head = std::get_if<response_head>(&scan);
    return head ? net::head_for_client(*head, false, false).size() : scan.index();
}

struct field_attack {
    std::string_view name;
    std::function<std::string(std::size_t)> lines;
};

// Half of it in a list that every field might be compared with, and as many short fields as a head may have.
std::string named_hops(std::string_view element, std::size_t octets)
{
    const auto many = numbered([](std::size_t n) { return "f" + std::to_string(n) + ":\r\n"; }, octets / 2, fields);
    return "Connection: " + repeated(element, octets - many.size() - 14) + "x\r\n" + many;
}

const std::vector<field_attack>& field_attacks()
{
    static const std::vector<field_attack> all{
        {"a Connection field of commas, and short fields", [](std::size_t n) { return named_hops(",", n); }},
        {"a Connection field of names, and short fields", [](std::size_t n) { return named_hops("g,", n); }},
        {"a Connection field of blanks, and short fields", [](std::size_t n) { return named_hops(" ,\t", n); }},
        {"Connection fields",
         [](std::size_t n) {
             return numbered([&](std::size_t) { return "Connection: " + repeated("a,", n / fields - 16) + "b\r\n"; }, n, fields);
         }},
        {"a value of blanks", [](std::size_t n) { return "a:" + std::string(n - 5, ' ') + "\r\n"; }},
        {"a value with blanks inside", [](std::size_t n) { return "a: v" + std::string(n - 9, ' ') + "v\r\n"; }},
        {"a long name", [](std::size_t n) { return std::string(n - 5, 'a') + ":b\r\n"; }},
        {"no colon", [](std::size_t n) { return std::string(n - 2, 'a') + "\r\n"; }},
        {"a value of high octets", [](std::size_t n) { return "a: " + std::string(n - 5, '\xff') + "\r\n"; }},
        {"carriage returns", [](std::size_t n) { return "a: " + std::string(n - 5, '\r') + "\r\n"; }},
        {"a Transfer-Encoding of commas", [](std::size_t n) { return "Transfer-Encoding: " + std::string(n - 30, ',') + "chunked\r\n"; }},
        {"an Accept field of commas", [](std::size_t n) { return "Accept: " + std::string(n - 10, ',') + "\r\n"; }},
        {"a Cookie of semicolons", [](std::size_t n) { return "Cookie: " + std::string(n - 10, ';') + "\r\n"; }},
        {"a Content-Length of commas", [](std::size_t n) { return "Content-Length: 0" + std::string(n - 20, ',') + "\r\n"; }},
        {"more fields than a head has", [](std::size_t n) { return repeated("a:\r\n", n); }},
    };
    return all;
}

void add_heads(std::vector<gate>& to)
{
    static std::vector<std::string> names; // which gates only look at
    names.reserve(2 * field_attacks().size());
    for (const auto& a : field_attacks()) {
        names.push_back("request head: " + std::string{a.name});
        to.push_back({names.back(), [](std::size_t n) { return request(honest_fields(n)); },
                      [&a](std::size_t n) { return request(a.lines(n)); }, forward_request, request_octets});
        names.push_back("response head: " + std::string{a.name});
        to.push_back({names.back(), [](std::size_t n) { return response(honest_fields(n)); },
                      [&a](std::size_t n) { return response(a.lines(n)); }, forward_response, response_octets});
    }
    const auto honest = [](std::size_t n) { return request(honest_fields(n)); };
    to.push_back({"request line: a long path", honest,
                  [](std::size_t n) { return "GET http://ok.test/" + std::string(n, '%') + " HTTP/1.1\r\nHost: ok.test\r\n\r\n"; },
                  forward_request, request_octets});
    to.push_back({"request line: a long host", honest,
                  [](std::size_t n) { return "CONNECT " + repeated("a.", n) + "b:443 HTTP/1.1\r\n\r\n"; }, forward_request,
                  request_octets});
    to.push_back({"request line: a long method", honest,
                  [](std::size_t n) { return std::string(n, 'G') + " http://ok.test/ HTTP/1.1\r\n\r\n"; }, forward_request,
                  request_octets});
}

std::string hello_of(std::size_t octets)
{
    test::hello_builder b;
    b.server_name("ok.test").usual();
    b.extension(21, std::string(octets - b.bytes().size() - 4, '\0')); // padding
    return b.message();
}
std::string honest_hello(std::size_t octets) { return test::record(hello_of(octets)); }

std::string many_extensions(std::size_t octets)
{
    test::hello_builder b;
    b.server_name("ok.test").usual();
    for (std::size_t n = b.extensions.size(); n < limits::hello_extensions; ++n)
        b.extension(static_cast<unsigned>(0x1000 + n), std::string(octets / limits::hello_extensions - 5, 'e'));
    return b.bytes();
}

std::string name_entries(std::string_view name, unsigned type, std::size_t octets)
{
    test::hello_builder b;
    return b.server_name_list(repeated(test::server_name_entry(name, type), octets)).usual().bytes();
}

std::size_t read_hello(std::string_view in) { return scan_client_hello(test::octets(in)).index(); }

// The watch of a tunnel whose first hello has passed.
hello_watch after_first_hello(const hostname& host)
{
    hello_watch w;
    const auto first = test::hello_for(host.str()).extension(42).bytes(); // 42: early data may follow
    w.from_client(test::octets(first), {host, ech_policy::deny});
    return w;
}

std::size_t read_second(std::string_view in)
{
    static const auto host = *hostname::parse("ok.test");
    // RFC 8446 section 4.1.3: a ServerHello with this random is a HelloRetryRequest.
    static const std::string random = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
                                      "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";
    static const auto retry = test::record(test::number(2, 1) + test::vector(test::number(0x0303, 2) + random + "tail", 3));
    auto w = after_first_hello(host);
    w.from_server(test::octets(retry));
    return w.from_client(test::octets(in), {host, ech_policy::deny}).pass;
}

std::size_t read_answer(std::string_view in)
{
    static const auto host = *hostname::parse("ok.test");
    auto w = after_first_hello(host);
    return static_cast<std::size_t>(w.from_server(test::octets(in)));
}

void add_hellos(std::vector<gate>& to)
{
    constexpr auto octets = limits::client_hello_bytes - 256;
    const auto tiny = [](std::size_t n) { return test::records(hello_of(n), 20); };
    to.push_back({"hello: records of twenty octets", honest_hello, tiny, read_hello, octets});
    to.push_back(
        {"hello: records of one octet", honest_hello, [](std::size_t n) { return test::records(hello_of(n), 1); }, read_hello, octets});
    to.push_back({"hello: empty records", honest_hello, [](std::size_t n) { return repeated(test::record(""), n); }, read_hello, octets});
    to.push_back({"hello: as many extensions as may be", honest_hello, many_extensions, read_hello, octets});
    to.push_back({"hello: empty extensions", honest_hello,
                  [](std::size_t n) {
                      test::hello_builder b;
                      for (std::size_t i = 0; i < n / 4; ++i) b.extension(static_cast<unsigned>(i & 0xffff));
                      return b.bytes();
                  },
                  read_hello, octets});
    to.push_back({"hello: names of other types", honest_hello, [](std::size_t n) { return name_entries("x", 7, n); }, read_hello, octets});
    to.push_back(
        {"hello: a long list of names", honest_hello, [](std::size_t n) { return name_entries("ok.test", 0, n); }, read_hello, octets});
    to.push_back({"hello: a name of dots", honest_hello, [](std::size_t n) { return name_entries(std::string(n, '.'), 0, n + 8); },
                  read_hello, octets});
    to.push_back({"second hello: records of twenty octets", honest_hello, tiny, read_second, octets});
    to.push_back({"second hello: behind change_cipher_spec", honest_hello,
                  [](std::size_t n) { return repeated(test::record("\x01", 20), n); }, read_second, octets});
    to.push_back({"second hello: behind early data", honest_hello, [](std::size_t n) { return repeated(test::record("x", 23), n); },
                  read_second, octets});
    to.push_back({"first answer: records of one octet", honest_hello,
                  [](std::size_t n) { return test::records(test::number(2, 1) + test::vector(std::string(n, 's'), 3), 1); }, read_answer,
                  octets});
}

void add_small(std::vector<gate>& to)
{
    const auto v2 = [](const std::string& tlvs) {
        return std::string{"\r\n\r\n\0\r\nQUIT\n", 12} + "\x21\x11" +
               test::vector(std::string{"\x0a\x01\x01\x01\x0a\x01\x01\x02\x10\x20\x01\xbb", 12} + tlvs, 2);
    };
    const auto header = [](std::string_view in) { return scan_proxy_header(in).index(); };
    const auto honest_header = [v2](std::size_t n) { return v2(std::string("\x04") + test::vector(std::string(n - 64, 'n'), 2)); };
    to.push_back({"PROXY header: empty values", honest_header,
                  [v2](std::size_t n) { return v2(repeated(test::number(0x040000, 3), n - 64)); }, header, limits::proxy_header_bytes});
    to.push_back({"PROXY header: a line without an end", honest_header, [](std::size_t n) { return "PROXY TCP6 " + std::string(n, ':'); },
                  header, limits::proxy_header_bytes});

    const auto body = [](std::string_view in) {
        net::http_body b{{body_framing::kind::chunked, 0}, true};
        std::string out;
        return b.take(in, out) + out.size();
    };
    const auto events = [](std::size_t n) { return repeated("80\r\n" + std::string(128, 'd') + "\r\n", n); }; // as event streams come
    constexpr std::size_t body_octets = limits::scratch_bytes;
    to.push_back({"chunked body: chunks of one octet", events, [](std::size_t n) { return repeated("1\r\nx\r\n", n); }, body, body_octets});
    to.push_back({"chunked body: long extensions", events,
                  [](std::size_t n) { return repeated("1;" + std::string(limits::chunk_line_bytes - 8, 'e') + "\r\nx\r\n", n); }, body,
                  body_octets});
    to.push_back({"chunked body: zeros before the size", events, [](std::size_t n) { return repeated("000000000000001\r\nx\r\n", n); },
                  body, body_octets});
    to.push_back(
        {"chunked body: trailers", events, [](std::size_t n) { return "0\r\n" + repeated("a:\r\n", n); }, body, limits::trailer_bytes});
}

std::string honest_name(std::size_t octets) { return repeated("files-of-a-package.", octets - 5) + "test"; }

void add_names(std::vector<gate>& to)
{
    const auto parse = [](std::string_view in) { return static_cast<std::size_t>(hostname::parse(in).has_value()); };
    constexpr auto octets = limits::hostname_octets;
    to.push_back({"name: labels of one octet", honest_name, [](std::size_t n) { return repeated("a.", n - 1) + "b"; }, parse, octets});
    to.push_back({"name: dots", honest_name, [](std::size_t n) { return std::string(n, '.'); }, parse, octets});
    to.push_back({"name: digits", honest_name, [](std::size_t n) { return repeated("1.", n - 1) + "2"; }, parse, octets});
    to.push_back(
        {"name: colons in brackets", honest_name, [](std::size_t n) { return '[' + std::string(n - 2, ':') + ']'; }, parse, octets});
    to.push_back({"name: hyphens", honest_name, [](std::size_t n) { return repeated("xn--a.", n - 4) + "test"; }, parse, octets});
    to.push_back({"name: far too long", honest_name, [](std::size_t n) { return repeated("a.", n) + "b"; }, parse, 64 * 1024});

    static const name_index index = [] {
        name_index_builder b{7};
        std::string base = "b";
        for (rule_index n = 0; base.size() < limits::hostname_octets - 4; base = "a." + base, ++n) // every depth has names, none matches
            if (const auto p = host_pattern::parse("**.z" + base)) b.add(n, *p);
        for (rule_index n = 0; n < 10'000; ++n) b.add(n, *host_pattern::parse("h" + std::to_string(n) + ".ok.test"));
        return std::move(b).finish();
    }();
    const auto look_up = [](std::string_view in) {
        std::size_t seen = 0;
        index.match(in, [&](auto, auto) { return ++seen != 0; });
        return seen;
    };
    to.push_back(
        {"name in an index: labels of one octet", honest_name, [](std::size_t n) { return repeated("a.", n - 1) + "b"; }, look_up, octets});
}

// The scanners keep no state: whoever sends little by little has all of it looked at again each time.
std::vector<std::pair<gate, std::size_t>> in_segments()
{
    const auto in_a_cookie = [](std::size_t n) { return request("Cookie: " + std::string(n, 'c') + "\r\n"); };
    const auto many = [](std::size_t n) { return request(numbered([](std::size_t) { return "a:\r\n"; }, n)); };
    const auto tiny = [](std::size_t n) { return test::records(hello_of(n), 20); };
    constexpr auto hello_octets = limits::client_hello_bytes - 256;
    return {{{"request head: octet by octet", {}, in_a_cookie, forward_request, request_octets}, 1},
            {{"request head: field by field", {}, many, forward_request, 4 * fields}, 4},
            {{"response head: octet by octet",
              {},
              [](std::size_t n) { return response("Set-Cookie: " + std::string(n, 'c') + "\r\n"); },
              forward_response,
              response_octets},
             1},
            {{"hello: octet by octet", {}, honest_hello, read_hello, hello_octets}, 1},
            {{"hello: record by record", {}, tiny, read_hello, hello_octets}, 25},
            {{"second hello: record by record", {}, tiny, read_second, hello_octets}, 25}};
}

} // namespace

int main()
{
    std::vector<gate> gates;
    add_heads(gates);
    add_hellos(gates);
    add_small(gates);
    add_names(gates);
    std::size_t passed = 0, failed = 0;
    for (const auto& g : gates) ++(holds(g) ? passed : failed);
    for (const auto& [g, segment] : in_segments()) ++(holds_in_segments(g, segment) ? passed : failed);
    std::printf("%zu passed, %zu failed\n", passed, failed);
    return failed > 0;
}
