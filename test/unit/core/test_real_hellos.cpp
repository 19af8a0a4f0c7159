#include "hello_builder.hpp"
#include "repository.hpp"

#include <exeat/tls/client_hello.hpp>

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

using namespace exeat;
using namespace exeat::test;

namespace {

// By file name: the first flights of real clients, each asking for capture.test; data/hellos/README says how they were had.
std::map<std::string, std::string> captures()
{
    std::map<std::string, std::string> all;
    for (const auto& file : std::filesystem::directory_iterator{test::repository() / "test/unit/core/data/hellos"}) {
        if (file.path().extension() != ".bin") continue;
        std::ifstream in{file.path(), std::ios::binary};
        all[file.path().filename().string()] = {std::istreambuf_iterator<char>{in}, {}};
    }
    return all;
}

void check_accepted(std::string_view flight, bool encrypted)
{
    const auto scan = scan_client_hello(octets(flight));
    REQUIRE(std::holds_alternative<client_hello>(scan));
    const auto& hello = std::get<client_hello>(scan);
    REQUIRE(hello.server_name.has_value());
    CHECK(hello.server_name->str() == "capture.test");
    CHECK(hello.hidden == (encrypted ? hidden_hello::outer : hidden_hello::none));
    CHECK(hello.bytes == flight.size());
}

} // namespace

TEST_CASE("the hellos of real clients are accepted with their name, whole, cut into records anywhere, and only when they are whole")
{
    const auto all = captures();
    REQUIRE(all.size() >= 9);
    for (const auto& [client, flight] : all) {
        CAPTURE(client);
        const bool encrypted = client == "chromium.bin"; // GREASE
        check_accepted(flight, encrypted);
        const auto message = flight.substr(5);
        for (std::size_t n = 1; n < message.size(); ++n)
            check_accepted(record(message.substr(0, n)) + record(message.substr(n)), encrypted);
        for (const std::size_t size : {1u, 2u, 3u, 64u, 500u}) check_accepted(records(message, size), encrypted);
        for (std::size_t n = 0; n < flight.size(); ++n)
            REQUIRE(std::holds_alternative<need_more>(scan_client_hello(octets(std::string_view{flight}.substr(0, n)))));
    }
}
