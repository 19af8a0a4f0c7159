#include "hello_builder.hpp"

#include <exeat/tls/client_hello.hpp>

#include <algorithm>
#include <cctype>
#include <doctest/doctest.h>
#include <random>
#include <string>

using namespace exeat;
using namespace exeat::test;

namespace {

// One word for what a scan said: "more", a verdict, or "hello NAME [ech] BYTES".
std::string said(std::string_view seen)
{
    const auto scan = scan_client_hello(octets(seen));
    if (std::holds_alternative<need_more>(scan)) return "more";
    if (const auto* bad = std::get_if<malformed>(&scan)) return std::string{to_string(bad->why)};
    const auto& hello = std::get<client_hello>(scan);
    const auto name = hello.server_name ? std::string{hello.server_name->str()} : std::string{"-"};
    constexpr std::array<const char*, 3> hidden{" ", " ech ", " hidden "};
    return "hello " + name + hidden[static_cast<std::size_t>(hello.hidden)] + std::to_string(hello.bytes);
}

// The same without the count of bytes, which depends on the records.
std::string name_said(std::string_view seen)
{
    const auto s = said(seen);
    return s.starts_with("hello ") ? s.substr(0, s.rfind(' ')) : s;
}

// A hello whose body was changed by hand, under right outer lengths.
std::string framed(std::string_view body) { return record(number(1, 1) + vector(body, 3)); }

} // namespace

TEST_CASE("a hello's server name is read, canonical")
{
    const auto bytes = hello_for("OK.Test").bytes();
    CHECK(said(bytes) == "hello ok.test " + std::to_string(bytes.size()));
    CHECK(name_said(hello_for("ok.test.").bytes()) == "hello ok.test");
}

TEST_CASE("what follows the hello in another record is not the hello's")
{
    const auto bytes = hello_for("ok.test").bytes();
    const auto size = std::to_string(bytes.size());
    CHECK(said(bytes + record("\x01", 20)) == "hello ok.test " + size);
    CHECK(said(bytes + "GET / HTTP/1.1\r\n") == "hello ok.test " + size);
    CHECK(said(bytes + record("second flight")) == "hello ok.test " + size);
    CHECK(said(bytes + std::string(100'000, 'x')) == "hello ok.test " + size);
}

TEST_CASE("a hello cut at any byte asks for more, never guesses")
{
    for (const auto& bytes :
         {hello_for("ok.test").bytes(), records(hello_for("ok.test").message(), 1), records(hello_for("ok.test").message(), 7)}) {
        for (std::size_t n = 0; n < bytes.size(); ++n) {
            CAPTURE(n);
            REQUIRE(said(std::string_view{bytes}.substr(0, n)) == "more");
        }
        CHECK(name_said(bytes) == "hello ok.test");
    }
}

TEST_CASE("a hello split into two records at any byte, or into records of any size, says what the whole says")
{
    const auto message = hello_for("ok.test").message();
    for (std::size_t n = 1; n < message.size(); ++n) {
        CAPTURE(n);
        const auto two = record(message.substr(0, n)) + record(message.substr(n));
        REQUIRE(said(two) == "hello ok.test " + std::to_string(two.size()));
        REQUIRE(name_said(records(message, n)) == "hello ok.test");
    }
}

TEST_CASE("a broken hello is as broken in small records")
{
    auto b = hello_for("evil.test\nok.test");
    CHECK(said(b.bytes()) == "host_syntax");
    CHECK(said(records(b.message(), 1)) == "host_syntax");
    auto twice = hello_for("ok.test").server_name("evil.test");
    CHECK(said(twice.bytes()) == "tls_malformed");
    CHECK(said(records(twice.message(), 3)) == "tls_malformed");
}

TEST_CASE("post-quantum key shares, GREASE and unknown extensions are accepted")
{
    hello_builder b;
    b.server_name("ok.test").usual(1'216).extension(0x6a6a, "x").extension(0x1234, std::string(700, 'u'));
    CHECK(name_said(b.bytes()) == "hello ok.test");
    CHECK(name_said(records(b.message(), 512)) == "hello ok.test");
}

TEST_CASE("a TLS 1.2 hello without extensions, and one without a server name, have none")
{
    hello_builder bare;
    bare.extension_block = false;
    bare.session_id.clear();
    CHECK(name_said(bare.bytes()) == "hello -");
    CHECK(name_said(hello_builder{}.bytes()) == "hello -");
    CHECK(name_said(hello_builder{}.usual().bytes()) == "hello -");
}

TEST_CASE("encrypted names are told, real or GREASE, whatever else is there")
{
    const auto with = [](const std::string& ech) { return name_said(hello_for("ok.test").extension(0xfe0d, ech).bytes()); };
    const std::string suite_and_id{"\0\1\0\1\x7", 5}, key = vector(std::string(32, 'k'), 2), payload = vector(std::string(144, 'p'), 2);
    const std::string outer = std::string(1, '\0') + suite_and_id;
    CHECK(with(outer + key + payload) == "hello ok.test ech");
    CHECK(with(outer + vector("k", 2) + vector("p", 2)) == "hello ok.test ech");
    for (const auto& other : {outer + vector("", 2) + payload, outer + key + vector("", 2), outer + key, outer + key + payload + "x",
                              "\x01" + suite_and_id + key + payload, std::string{"\x01"}, std::string{"anything"}, std::string{}})
        CHECK(with(other) == "hello ok.test hidden");
    CHECK(name_said(hello_builder{}.extension(0xfe0d).bytes()) == "hello - hidden");
    CHECK(name_said(hello_for("ok.test").extension(0xffce, "x").bytes()) == "hello ok.test hidden");
    CHECK(name_said(hello_for("ok.test").extension(0xffce, outer + key + payload).extension(0xfe0d, outer + key + payload).bytes()) ==
          "hello ok.test hidden");
    CHECK(name_said(hello_for("ok.test").extension(0xfe0c, "x").bytes()) == "hello ok.test");
}

TEST_CASE("what does not begin as a TLS handshake is not TLS, at its first byte")
{
    for (const std::string_view text : {"SSH-2.0-OpenSSH_9.2\r\n", "GET / HTTP/1.1\r\n", "\x80\x2e\x01\x03\x01", "\x17\x03\x03\x00\x01x",
                                        "\x15\x03\x01\x00\x02\x02\x28", "\n", "EHLO evil.test\r\n"}) {
        CAPTURE(text);
        CHECK(said(text) == "not_tls");
        CHECK(said(text.substr(0, 1)) == "not_tls");
    }
    CHECK(said(std::string_view{"\0", 1}) == "not_tls");
    CHECK(said("") == "more");
}

TEST_CASE("records that a server would refuse are refused as soon as it shows")
{
    const auto message = hello_for("ok.test").message();
    CHECK(said(std::string{"\x16\x02"}) == "tls_malformed");
    CHECK(said(record(message, 22, 0x0201)) == "tls_malformed");
    CHECK(name_said(record(message, 22, 0x0303)) == "hello ok.test");
    CHECK(said(std::string{"\x16\x03\x01"} + number(0, 2)) == "tls_malformed");
    CHECK(said(record("") + record(message)) == "tls_malformed");
    CHECK(said(record(message.substr(0, 10)) + record("") + record(message.substr(10))) == "tls_malformed");
    CHECK(said(std::string{"\x16\x03\x01"} + number(16'385, 2)) == "tls_malformed");
    CHECK(said(std::string{"\x16\x03\x01"} + number(65'535, 2)) == "tls_malformed");
    CHECK(said(record(message.substr(0, 10)) + record("\x02\x28", 21)) == "tls_malformed");
    CHECK(said(record(message.substr(0, 10)) + "\x17") == "tls_malformed");
    CHECK(said(record(message.substr(0, 10)) + "G") == "tls_malformed");
    CHECK(said(record(message.substr(0, 10)) + "\x16\x02") == "tls_malformed");
}

TEST_CASE("only a ClientHello begins a connection, and its length is no lie")
{
    const auto header = std::string{"\x16\x03\x01"} + number(100, 2);
    for (const int type : {0, 2, 11, 254}) CHECK(said(header + number(static_cast<std::size_t>(type), 1)) == "tls_malformed");
    CHECK(said(header + number(1, 1)) == "more");
    CHECK(said(std::string{"\x16\x03\x01"} + number(16'384, 2) + number(1, 1) + number(0xffffff, 3)) == "tls_malformed");
    CHECK(said(record(number(1, 1)) + record("\xff") + record("\xff") + record("\xff")) == "tls_malformed");
    CHECK(said(record(number(1, 1) + number(0, 3))) == "tls_malformed");
    CHECK(said(record(number(1, 1) + number(limits::client_hello_bytes - 4, 3))) == "more");
    CHECK(said(record(number(1, 1) + number(limits::client_hello_bytes - 3, 3))) == "tls_malformed");
}

TEST_CASE("handshake bytes behind the hello in its own record refuse it, before they have come")
{
    const auto message = hello_for("ok.test").message();
    CHECK(said(record(message + "x")) == "tls_malformed");
    CHECK(said(record(message + message)) == "tls_malformed");
    CHECK(said(record(message.substr(0, 20)) + record(message.substr(20) + "x")) == "tls_malformed");
    CHECK(said(record(message + "x").substr(0, 9)) == "tls_malformed");
    CHECK(said(record(message.substr(0, 2)) + record(message.substr(2) + "x").substr(0, 7)) == "tls_malformed");
}

TEST_CASE("the largest hello fits, and what is split too finely to be held does not")
{
    auto b = hello_for("ok.test");
    const auto room = limits::client_hello_bytes - b.message().size() - 4;
    b.extension(0x1234, std::string(room, 'p'));
    REQUIRE(b.message().size() == limits::client_hello_bytes);
    CHECK(name_said(b.bytes()) == "hello ok.test");
    CHECK(name_said(records(b.message(), 1'000)) == "hello ok.test");
    const auto fine = records(b.message(), 1);
    CHECK(said(std::string_view{fine}.substr(0, limits::held_hello_bytes - 1)) == "more");
    CHECK(said(std::string_view{fine}.substr(0, limits::held_hello_bytes)) == "tls_malformed");
    CHECK(said(std::string_view{fine}.substr(0, limits::held_hello_bytes + 1)) == "tls_malformed");
    CHECK(said(fine) == "tls_malformed");
}

TEST_CASE("every length inside a hello fills what it is in exactly")
{
    const auto hello = hello_for("ok.test");
    const auto broken = [&hello](auto change) {
        auto b = hello;
        change(b);
        return said(b.bytes());
    };
    CHECK(broken([](hello_builder&) {}).starts_with("hello"));
    CHECK(broken([](hello_builder& b) { b.session_id = std::string(33, 's'); }) == "tls_malformed");
    CHECK(broken([](hello_builder& b) { b.session_id.clear(); }).starts_with("hello"));
    CHECK(broken([](hello_builder& b) { b.cipher_suites.clear(); }) == "tls_malformed");
    CHECK(broken([](hello_builder& b) { b.cipher_suites = "\x13\x01\x13"; }) == "tls_malformed");
    CHECK(broken([](hello_builder& b) { b.compression.clear(); }) == "tls_malformed");
    CHECK(broken([](hello_builder& b) { b.legacy_version = 0x0203; }) == "tls_malformed");
    CHECK(broken([](hello_builder& b) { b.random.pop_back(); }) == "tls_malformed");
    CHECK(said(framed(hello.body() + "x")) == "tls_malformed");
    for (std::size_t n = 0; n < hello.body().size(); ++n) {
        CAPTURE(n);
        hello_builder bare;
        bare.extension_block = false;
        const auto body = hello.body().substr(0, n);
        if (body.size() == bare.body().size()) continue; // a hello without extensions
        REQUIRE(said(framed(body)) == "tls_malformed");
    }
}

TEST_CASE("an extension that comes twice, or too many of them, refuse the hello")
{
    CHECK(said(hello_for("ok.test").server_name("ok.test").bytes()) == "tls_malformed");
    CHECK(said(hello_for("ok.test").extension(51).bytes()) == "tls_malformed");
    hello_builder many;
    for (unsigned type = 100; many.extensions.size() < limits::hello_extensions; ++type) many.extension(type);
    CHECK(name_said(many.bytes()) == "hello -");
    CHECK(said(many.extension(99).bytes()) == "tls_malformed");
}

TEST_CASE("a pre-shared key is the last extension, or servers refuse the hello")
{
    CHECK(name_said(hello_for("ok.test").extension(41, "psk").bytes()) == "hello ok.test");
    CHECK(said(hello_for("ok.test").extension(41, "psk").extension(21).bytes()) == "tls_malformed");
}

TEST_CASE("a server name list has one name, and it fills the list")
{
    const auto listed = [](std::string_view entries) { return said(hello_builder{}.server_name_list(entries).usual().bytes()); };
    const auto raw = [](std::string data) { return said(hello_builder{}.extension(0, std::move(data)).usual().bytes()); };
    const auto entry = server_name_entry("ok.test");
    CHECK(listed(entry).starts_with("hello ok.test"));
    CHECK(listed("") == "tls_malformed");
    CHECK(raw("") == "tls_malformed");
    CHECK(listed(server_name_entry("")) == "tls_malformed");
    CHECK(listed(entry + entry) == "tls_malformed");
    CHECK(listed(entry + server_name_entry("x", 1)) == "tls_malformed");
    CHECK(listed(server_name_entry("ok.test", 1)) == "tls_malformed");
    CHECK(listed(entry + "x") == "tls_malformed");
    CHECK(listed(entry.substr(0, entry.size() - 1)) == "tls_malformed");
    CHECK(raw(vector(entry, 2) + "x") == "tls_malformed");
    CHECK(raw(number(entry.size() + 1, 2) + entry) == "tls_malformed");
    CHECK(raw(number(entry.size() - 1, 2) + entry) == "tls_malformed");
}

TEST_CASE("a server name is a hostname and no address")
{
    for (const std::string_view name : {"192.0.2.1", "[2001:db8::1]", "2001:db8::1", "*.w.test", "localhost", "ok.test:443",
                                        "\xe2\x93\x94vil.test", "ok..test", " ok.test", "."}) {
        CAPTURE(name);
        CHECK(said(hello_for(name).bytes()) == "host_syntax");
    }
    CHECK(said(hello_for(std::string_view{"evil.test\0.ok.test", 18}).bytes()) == "host_syntax");
    CHECK(said(hello_for(std::string(254, 'a')).bytes()) == "host_syntax");
}

TEST_CASE("whatever a hello is changed to, its prefixes never say anything else, and its name stands in the bytes")
{
    std::mt19937 dice{4};
    const auto seed = hello_for("ok.test").extension(0x1234, "padding").message();
    unsigned hellos = 0, refused = 0;
    for (int i = 0; i < 30'000; ++i) {
        auto message = seed;
        for (auto changes = 1 + dice() % 3; changes > 0; --changes) message[dice() % message.size()] = static_cast<char>(dice());
        auto bytes = i % 2 ? record(message) : records(message, 1 + dice() % 40);
        if (i % 3 == 0) bytes[dice() % bytes.size()] = static_cast<char>(dice());
        const auto whole = said(bytes);
        const auto part = said(std::string_view{bytes}.substr(0, dice() % bytes.size()));
        REQUIRE((part == "more" || part == whole));
        whole.starts_with("hello") ? ++hellos : ++refused;
        const auto scan = scan_client_hello(octets(bytes));
        const auto* hello = std::get_if<client_hello>(&scan);
        if (i % 2 == 0 || !hello || !hello->server_name) continue;
        std::string lower = bytes;
        std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        REQUIRE(lower.find(hello->server_name->str()) != std::string::npos);
    }
    CHECK(hellos > 1'000);
    CHECK(refused > 1'000);
}

TEST_CASE("arbitrary bytes are never a crash")
{
    std::mt19937 dice{5};
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes(dice() % 300, '\0');
        for (auto& c : bytes) c = static_cast<char>(dice());
        bytes.insert(0, std::string_view{"\x16\x03\x01\x00\x60\x01\x00\x00\x5c\x03\x03"}.substr(0, dice() % 12));
        CHECK_FALSE(said(bytes).empty());
    }
}
