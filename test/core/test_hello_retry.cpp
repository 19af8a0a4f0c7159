#include <exeat/hello_retry.hpp>

#include "hello_builder.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace exeat;
using exeat::test::octets;
using exeat::test::record;
using exeat::test::records;

namespace {

// SHA-256 of "HelloRetryRequest", as RFC 8446 section 4.1.3 prints it.
const std::string retry_random = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
                                 "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

std::string server_hello(const std::string& random)
{
    const std::string body = std::string{"\x03\x03"} + random + std::string(10, '\0');
    return "\x02" + test::vector(body, 3);
}

} // namespace

TEST_CASE("a HelloRetryRequest is known by its random, however its records are cut, and only when enough of it is there")
{
    for (std::size_t each = 1; each < 60; ++each) {
        const auto retry = records(server_hello(retry_random), each);
        const auto plain = records(server_hello(std::string(32, 'r')), each);
        CHECK(scan_first_answer(octets(retry)) == first_answer::retry);
        CHECK(scan_first_answer(octets(plain)) == first_answer::other);
        bool known = false;
        for (std::size_t n = 0; n <= retry.size(); ++n) {
            const auto said = scan_first_answer(octets(retry).first(n));
            CHECK((said == first_answer::retry || (said == first_answer::need_more && !known)));
            known |= said == first_answer::retry;
        }
        CHECK(known);
    }
}

TEST_CASE("what is no ServerHello is no retry, and records that no server sends are malformed")
{
    CHECK(scan_first_answer(octets(record("\x02\x28", 21))) == first_answer::other);
    CHECK(scan_first_answer(octets(std::string{"HTTP/1.1 400"})) == first_answer::other);
    CHECK(scan_first_answer(octets(record(std::string{"\x0b\0\0\x01\0", 5}, 22))) == first_answer::other);
    CHECK(scan_first_answer(octets(record("", 22))) == first_answer::malformed);
    CHECK(scan_first_answer(octets(record("\x02", 22) + record("x", 23))) == first_answer::malformed);
}

TEST_CASE("the second hello is found behind change_cipher_spec and early data, and its name is the one it says")
{
    for (const auto& before : {std::string{}, record("\x01", 20), record(std::string(300, 'e'), 23) + record("\x01", 20)}) {
        const auto flight = before + record(test::hello_for("other.test").message());
        for (std::size_t n = 0; n < flight.size(); ++n)
            CHECK(std::holds_alternative<need_more>(scan_second_hello(octets(flight).first(n))));
        const auto scan = scan_second_hello(octets(flight));
        REQUIRE(std::holds_alternative<client_hello>(scan));
        CHECK(std::get<client_hello>(scan).server_name->str() == "other.test");
        CHECK(std::get<client_hello>(scan).bytes == flight.size());
    }
}

TEST_CASE("behind a retry there is a hello, an alert, or nothing that may pass")
{
    CHECK(std::holds_alternative<no_hello>(scan_second_hello(octets(record("\x02\x28", 21)))));
    CHECK(std::holds_alternative<malformed>(scan_second_hello(octets(std::string{"GET / HTTP/1.1"}))));
    CHECK(std::holds_alternative<malformed>(scan_second_hello(octets(std::string{"\x17\x03\x03\xff\xff", 5}))));
}
