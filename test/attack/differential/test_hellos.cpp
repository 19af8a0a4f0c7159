#include "../../unit/core/repository.hpp"
#include "mutated_hello.hpp"
#include "openssl_hello.hpp"

#include <exeat/tls/client_hello.hpp>

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

using namespace exeat;
using namespace exeat::test;

namespace {

std::vector<std::string> captures()
{
    std::set<std::string> all; // in an order that is the same everywhere
    for (const auto& file : std::filesystem::directory_iterator{test::repository() / "test/unit/core/data/hellos"}) {
        if (file.path().extension() != ".bin") continue;
        std::ifstream in{file.path(), std::ios::binary};
        all.emplace(std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{});
    }
    return {all.begin(), all.end()};
}

std::string shown(std::string_view bytes)
{
    std::string out;
    for (const char c : bytes) {
        out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
        out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

// OpenSSL's name, as ours would be.
std::optional<hostname> as_hostname(const std::optional<std::string>& name)
{
    if (!name) return std::nullopt;
    const auto host = hostname::parse(*name);
    return host ? std::optional{*host} : std::nullopt;
}

struct tally {
    std::size_t both = 0, named = 0, served = 0, only_ours = 0, only_openssl = 0, neither = 0;
};

void compare(const client_hello& ours, const openssl_reading& theirs, tally& count)
{
    if (theirs.refusal == "bad extension" && !theirs.hello) { // use_srtp, which it takes over DTLS alone
        ++count.only_ours;
        return;
    }
    REQUIRE_MESSAGE(theirs.hello, theirs.refusal);
    ++count.both;
    count.named += ours.server_name.has_value();
    REQUIRE(theirs.carried.has_value() == ours.server_name.has_value());
    REQUIRE(as_hostname(theirs.carried) == ours.server_name);
    REQUIRE(theirs.taken == ours.bytes);
    if (!theirs.server_name) return;
    ++count.served;
    REQUIRE(as_hostname(theirs.served) == ours.server_name);
}

} // namespace

TEST_CASE("no hello that is accepted has another name, or another end, for OpenSSL")
{
    constexpr std::size_t hellos = 200'000;
    hello_source source{20'260'601, captures()};
    const openssl_server server;
    tally count;
    for (std::size_t n = 0; n < hellos; ++n) {
        const auto flight = source.next();
        CAPTURE(n);
        CAPTURE(shown(flight));
        const auto scan = scan_client_hello(octets(flight));
        const auto theirs = server.read(flight);
        if (const auto* ours = std::get_if<client_hello>(&scan)) compare(*ours, theirs, count);
        else ++(theirs.hello ? count.only_openssl : count.neither);
    }
    MESSAGE(count.both << " accepted by both, " << count.named << " of them with a name, " << count.served
                       << " read by OpenSSL to the end; " << count.only_openssl << " by OpenSSL alone, " << count.only_ours
                       << " by exeat alone, " << count.neither << " by neither");
    CHECK(count.both > hellos / 10);
    CHECK(count.named > hellos / 20);
    CHECK(count.served > hellos / 20);
    CHECK(count.only_ours < hellos / 1'000);
    CHECK(count.only_openssl > hellos / 100);
    CHECK(count.neither > hellos / 10);
}
