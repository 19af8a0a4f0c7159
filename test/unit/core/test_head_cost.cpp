// What a head costs depends on its size and not on what stands in it or on how it arrives. CPU time of this thread, the least of several
// runs, against an honest head of the same size or against a smaller one of its kind; the bounds are far from what is measured.
#include "request_texts.hpp"

#include <algorithm>
#include <ctime>
#include <doctest/doctest.h>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace exeat;
using namespace exeat::test;

namespace {

double cpu_seconds()
{
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double cost(const std::function<void()>& work)
{
    constexpr int runs = 15, times = 4;
    double least = std::numeric_limits<double>::max();
    for (int run = 0; run < runs; ++run) {
        const auto began = cpu_seconds();
        for (int i = 0; i < times; ++i) work();
        least = std::min(least, cpu_seconds() - began);
    }
    return least;
}

std::string repeated(std::string_view text, std::size_t bytes)
{
    std::string out;
    while (out.size() + text.size() <= bytes) out += text;
    return out;
}

// All that is done to a head: scanned, and each field asked for its hop.
template <class Head> std::size_t fields_passed_on(const Head& head)
{
    std::size_t n = 0;
    auto fields = head.fields;
    const connection_options options{fields};
    for (header_fields::field f; fields.next(f);) n += hop_by_hop(f.name, options) ? 0 : 1;
    return n;
}

void read_request(std::string_view bytes)
{
    const auto scan = scan_proxy_request(bytes);
    const auto* head = std::get_if<request_head>(&scan);
    if (head) REQUIRE(fields_passed_on(*head) < limits::header_fields);
}

void read_response(std::string_view bytes)
{
    const auto scan = scan_response_head(bytes, "GET");
    const auto* head = std::get_if<response_head>(&scan);
    if (head) REQUIRE(fields_passed_on(*head) < limits::header_fields);
}

// Field lines of about so many bytes that somebody might think expensive.
std::vector<std::pair<const char*, std::string>> hostile_fields(std::size_t bytes)
{
    const auto few = repeated("a:b\r\n", 124 * 5);
    const auto rest = bytes - few.size() - 100;
    const auto names = [&](std::size_t fields, const std::string& separator, const std::string& end) {
        std::string out;
        const auto size = bytes / 2 / fields - 12;
        for (std::size_t i = 0; i < fields; ++i)
            out += (out.empty() ? "" : separator) + std::string(size, 'x') + std::to_string(i * 7 % 100 + 100) + end;
        return out;
    };
    const auto sixty_four = limits::connection_options;
    std::string each;
    for (std::size_t i = 0; i < 60; ++i) each += "Connection: y" + std::to_string(i) + "\r\n";
    return {{"commas in Connection", "Connection: " + repeated(",", rest) + "\r\n" + few},
            {"elements of white space in Connection", "Connection: " + repeated(" \t,", rest) + "\r\n" + few},
            {"one long option", "Connection: " + std::string(rest, 'x') + "\r\n" + few},
            {"many long options that are nearly the names of the fields",
             "Connection: " + names(sixty_four, ",", "") + "\r\n" + names(60, "", "0: y\r\n")},
            {"many Connection fields", each + repeated("a:b\r\n", 60 * 5)},
            {"commas in Accept", "Accept: " + repeated(",", rest) + "\r\n" + few},
            {"parameters in Accept", "Accept: " + repeated("a;b,", rest) + "\r\n" + few},
            {"commas in Transfer-Encoding", "Transfer-Encoding: " + repeated(",", rest) + "\r\n" + few},
            {"a long value of white space", "X: " + repeated(" \t", rest) + "\r\n" + few},
            {"carriage returns", "X: " + repeated("\r", rest) + "\r\n" + few},
            {"long names", names(100, "", ": y\r\n")},
            {"no end", std::string(rest, 'x')}};
}

std::string honest_fields(std::size_t bytes)
{
    const auto size = bytes / 100;
    std::string out;
    for (std::size_t i = 0; i < 100; ++i) out += "X-Header-" + std::to_string(100 + i) + ": " + std::string(size - 16, 'v') + "\r\n";
    return out;
}

constexpr double most_times = 20;

// Of a head that comes byte by byte.
template <class Scan> void read_bytewise(std::string_view bytes, Scan scan)
{
    std::size_t more = 0;
    for (std::size_t n = 1; n < bytes.size(); ++n) more += std::holds_alternative<need_more>(scan(bytes.substr(0, n), n - 1)) ? 1 : 0;
    REQUIRE(more == bytes.size() - 1);
}

} // namespace

TEST_CASE("no request's head costs many times what an honest one of its size costs")
{
    const auto honest = get_with(honest_fields(limits::request_head_bytes - 300));
    REQUIRE(said(honest) == "GET ok.test:80 /");
    const auto bound = most_times * cost([&] { read_request(honest); });
    for (const auto& [what, fields] : hostile_fields(limits::request_head_bytes)) {
        CAPTURE(what);
        const auto bytes = get_with(fields);
        CHECK(cost([&] { read_request(bytes); }) < bound);
    }
    for (const auto& line : {std::string(limits::request_head_bytes, 'G'), "GET " + std::string(limits::request_head_bytes, '/'),
                             "GET http://" + std::string(limits::request_head_bytes, ':')})
        CHECK(cost([&] { read_request(line); }) < bound);
}

TEST_CASE("no response's head costs many times what an honest one of its size costs")
{
    const std::string line = "HTTP/1.1 200 OK\r\n";
    const auto honest = line + honest_fields(limits::response_head_bytes - 300) + "\r\n";
    const auto bound = most_times * cost([&] { read_response(honest); });
    for (const auto& [what, fields] : hostile_fields(limits::response_head_bytes)) {
        CAPTURE(what);
        const auto bytes = line + fields + "\r\n";
        CHECK(cost([&] { read_response(bytes); }) < bound);
    }
}

TEST_CASE("a head that comes byte by byte costs four times what a quarter of it costs")
{
    const auto request = [](std::string_view seen, std::size_t known) { return scan_proxy_request(seen, known); };
    const auto response = [](std::string_view seen, std::size_t known) { return scan_response_head(seen, "GET", known); };
    const auto linear = [](const std::string& whole, auto scan) {
        const auto quarter = whole.substr(0, whole.size() / 4);
        CHECK(cost([&] { read_bytewise(whole, scan); }) < 2 * 4 * cost([&] { read_bytewise(quarter, scan); }));
    };
    linear(get_with(repeated("a:b\r\n", limits::request_head_bytes - 100)), request);
    linear("GET http://ok.test/" + std::string(limits::request_head_bytes - 100, 'x'), request);
    linear(std::string(limits::request_head_bytes - 100, 'G'), request);
    linear("HTTP/1.1 200 OK\r\n" + repeated("a:b\r\n", limits::response_head_bytes - 100), response);
    linear("HTTP/1.1 200 " + std::string(limits::response_head_bytes - 100, 'x'), response);
}
