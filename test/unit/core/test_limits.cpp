// Bounds of the scanners at their value and one beyond, where no test of the scanner's own goes there.
#include <exeat/chunked_body.hpp>
#include <exeat/hostname.hpp>
#include <exeat/limits.hpp>
#include <exeat/tls/client_hello.hpp>

#include "request_texts.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace exeat;
using exeat::test::said;

TEST_CASE("a label has 63 octets at most")
{
    const auto name = [](std::size_t label) { return std::string(label, 'a') + ".test"; };
    CHECK(hostname::parse(name(limits::label_octets)).has_value());
    CHECK_FALSE(hostname::parse(name(limits::label_octets + 1)).has_value());
}

TEST_CASE("a chunk's size has so many digits and no more, zeros counted")
{
    const auto first = [](std::size_t zeros) {
        chunk_reader reader;
        return reader.read(std::string(zeros, '0') + "5\r\nhello");
    };
    CHECK_FALSE(first(limits::chunk_size_digits - 1).malformed);
    CHECK(first(limits::chunk_size_digits).malformed);
    chunk_reader largest;
    const auto begun = largest.read(std::string(limits::chunk_size_digits, 'f') + "\r\nx");
    CHECK_FALSE(begun.malformed);
}

TEST_CASE("a Content-Length has so many digits and no more, zeros counted")
{
    const auto with = [](std::size_t digits) {
        return said("POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: " + std::string(digits - 1, '0') + "5\r\n\r\n");
    };
    CHECK(with(limits::content_length_digits) != "framing");
    CHECK(with(limits::content_length_digits + 1) == "framing");
}

TEST_CASE("a TLS record has 2^14 bytes at most")
{
    const auto begins = [](std::size_t size) {
        const std::string head{0x16, 0x03, 0x01, static_cast<char>(size >> 8), static_cast<char>(size & 0xff)};
        return scan_client_hello(std::as_bytes(std::span{head}));
    };
    CHECK(std::holds_alternative<need_more>(begins(limits::record_bytes)));
    CHECK(std::holds_alternative<malformed>(begins(limits::record_bytes + 1)));
}
