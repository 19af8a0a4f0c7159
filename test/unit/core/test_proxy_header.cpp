// Sections are those of HAProxy's proxy-protocol.txt.
#include <exeat/limits.hpp>
#include <exeat/proxy_header.hpp>

#include <doctest/doctest.h>
#include <string>

using namespace exeat;

namespace {

const std::string signature{"\r\n\r\n\0\r\nQUIT\n", 12};

// A version 2 header of `block`, with the length field of its own or another.
std::string v2(int command, int family, const std::string& block, std::size_t length)
{
    return signature + static_cast<char>(command) + static_cast<char>(family) + static_cast<char>(length >> 8) +
           static_cast<char>(length & 0xff) + block;
}
std::string v2(int command, int family, const std::string& block) { return v2(command, family, block, block.size()); }

const std::string block4{"\x0a\x2a\x03\x07\x0a\x00\x00\x01\xd4\x31\x0c\x38", 12}; // 10.42.3.7:54321 to 10.0.0.1:3128
const std::string block6 = std::string{"\xfd\x00\x00\x42\0\0\0\0\0\0\0\0\0\0\0\x07", 16} + std::string(16, '\x01') + "\xd4\x31\x0c\x38";

// "10.42.3.7:54321 of 47", "nobody of 15", "more" or the reason.
std::string said(std::string_view seen)
{
    const auto scan = scan_proxy_header(seen);
    if (const auto* bad = std::get_if<malformed>(&scan)) return std::string{to_string(bad->why)};
    const auto* header = std::get_if<proxy_header>(&scan);
    if (!header) return "more";
    const auto who = header->client ? header->client->source.to_string() + " " + std::to_string(header->client->port) : "nobody";
    return who + " of " + std::to_string(header->bytes);
}

} // namespace

TEST_CASE("a PROXY line names the client and its port (2.1)")
{
    CHECK(said("PROXY TCP4 10.42.3.7 10.0.0.1 54321 3128\r\n") == "10.42.3.7 54321 of 42");
    CHECK(said("PROXY TCP6 fd00:42::7 fd00::1 54321 3128\r\n") == "fd00:42::7 54321 of 42");
    CHECK(said("PROXY TCP6 FD00:42::7 fd00::1 0 65535\r\nCONNECT ") == "fd00:42::7 0 of 39");
    CHECK(said("PROXY TCP6 ::ffff:10.42.3.7 ::ffff:10.0.0.1 54321 3128\r\n") == "10.42.3.7 54321 of 56");       // as HAProxy has it
    CHECK(said("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n") == "255.255.255.255 65535 of 56"); // the longest of TCP4
}

TEST_CASE("a PROXY line of an unknown protocol leaves the real client, whatever else it says (2.1)")
{
    CHECK(said("PROXY UNKNOWN\r\n") == "nobody of 15");
    CHECK(said("PROXY UNKNOWN ffff::f ffff::f 65535 65535\r\n") == "nobody of 43");
    CHECK(said("PROXY UNKNOWN \r \xff\r\n") == "nobody of 19");
}

TEST_CASE("a PROXY line that is not written as the specification has it is refused (2.1)")
{
    for (const auto* line : {
             "PROXY TCP4 10.42.3.7 10.0.0.1 54321\r\n",
             "PROXY TCP4 10.42.3.7 10.0.0.1 54321 3128 \r\n",
             "PROXY TCP4 10.42.3.7 10.0.0.1 54321 3128 1\r\n",
             "PROXY TCP4  10.42.3.7 10.0.0.1 54321 3128\r\n",
             "PROXY  TCP4 10.42.3.7 10.0.0.1 54321 3128\r\n",
             "PROXY TCP4\t10.42.3.7 10.0.0.1 54321 3128\r\n",
             "PROXY tcp4 10.42.3.7 10.0.0.1 54321 3128\r\n",
             "PROXY UDP4 10.42.3.7 10.0.0.1 54321 3128\r\n",
             "PROXY unknown\r\n",
             "PROXY UNKNOWNS\r\n",
             "PROXY \r\n",
             "PROXY TCP4 10.42.3.07 10.0.0.1 54321 3128\r\n",
             "PROXY TCP4 10.42.3.256 10.0.0.1 54321 3128\r\n",
             "PROXY TCP4 10.42.3 10.0.0.1 54321 3128\r\n",
             "PROXY TCP4 fd00:42::7 fd00::1 54321 3128\r\n",
             "PROXY TCP6 10.42.3.7 10.0.0.1 54321 3128\r\n",
             "PROXY TCP6 ::ffff:10.42.3.07 ::ffff:10.0.0.1 54321 3128\r\n",
             "PROXY TCP4 ::ffff:10.42.3.7 ::ffff:10.0.0.1 54321 3128\r\n",
             "PROXY TCP6 fd00:42::7%eth0 fd00::1 54321 3128\r\n",
             "PROXY TCP6 [fd00:42::7] [fd00::1] 54321 3128\r\n",
             "PROXY TCP4 10.42.3.7 evil.test 54321 3128\r\n",
             "PROXY TCP4 10.42.3.7 10.0.0.1 65536 3128\r\n",
             "PROXY TCP4 10.42.3.7 10.0.0.1 54321 65536\r\n",
             "PROXY TCP4 10.42.3.7 10.0.0.1 054321 3128\r\n",
             "PROXY TCP4 10.42.3.7 10.0.0.1 +5 3128\r\n",
             "PROXY TCP4 10.42.3.7 10.0.0.1 -5 3128\r\n",
             "PROXY TCP4 10.42.3.7 10.0.0.1 54321 3128\r\r\n",
             "PROXY TCP4 10.42.3.7 10.0.0.1 54321 3128\n\r\n",
             "PROXY TCP4 10.42.3.7 10.0.0.1 54321 31\n28\r\n",
         }) {
        CAPTURE(line);
        CHECK(said(line) == "proxy_header");
    }
    CHECK(said({"PROXY TCP4 10.42.3.7\0 10.0.0.1 54321 3128\r\n", 43}) == "proxy_header");
}

TEST_CASE("a PROXY line ends within 107 bytes, its CRLF counted (2.1)")
{
    const auto line = [](std::size_t bytes) { return "PROXY UNKNOWN " + std::string(bytes - 16, 'f') + "\r\n"; };
    CHECK(said(line(limits::proxy_line_bytes)) == "nobody of 107");
    CHECK(said(line(limits::proxy_line_bytes + 1)) == "proxy_header");
    CHECK(said(line(limits::proxy_line_bytes + 1).substr(0, limits::proxy_line_bytes - 1)) == "more");
    CHECK(said(line(limits::proxy_line_bytes + 1).substr(0, limits::proxy_line_bytes)) == "proxy_header");
}

TEST_CASE("a binary header names the client and its port, and what stands behind it is not looked at (2.2)")
{
    CHECK(said(v2(0x21, 0x11, block4)) == "10.42.3.7 54321 of 28");
    CHECK(said(v2(0x21, 0x11, block4) + "CONNECT") == "10.42.3.7 54321 of 28");
    CHECK(said(v2(0x21, 0x21, block6)) == "fd00:42::7 54321 of 52");
    CHECK(said(v2(0x21, 0x21, std::string(10, '\0') + "\xff\xff\x0a\x2a\x03\x07" + std::string(16, '\x01') + "\xd4\x31\x0c\x38")) ==
          "10.42.3.7 54321 of 52"); // one address, however it is written
}

TEST_CASE("TLVs are passed over, also those that do not add up (2.2)")
{
    CHECK(said(v2(0x21, 0x11, block4 + std::string{"\xea\x00\x05\x01vpce", 8})) == "10.42.3.7 54321 of 36");
    CHECK(said(v2(0x21, 0x21, block6 + "\x04\xff\xff")) == "fd00:42::7 54321 of 55");
}

TEST_CASE("LOCAL and an unspecified family leave the real client, whatever addresses come with them (2.2)")
{
    CHECK(said(v2(0x20, 0x00, "")) == "nobody of 16");
    CHECK(said(v2(0x20, 0x11, block4)) == "nobody of 28");
    CHECK(said(v2(0x20, 0x31, "short")) == "nobody of 21");
    CHECK(said(v2(0x21, 0x00, "tlv")) == "nobody of 19");
}

TEST_CASE("another version, command, family or transport is refused, and so is a block too short for its addresses (2.2)")
{
    for (const int command : {0x00, 0x01, 0x10, 0x11, 0x22, 0x2f, 0x31, 0xff}) CHECK(said(v2(command, 0x11, block4)) == "proxy_header");
    for (const int family : {0x01, 0x02, 0x10, 0x12, 0x20, 0x22, 0x30, 0x31, 0x32, 0x41, 0xff})
        CHECK(said(v2(0x21, family, block6 + std::string(216, '/'))) == "proxy_header");
    CHECK(said(v2(0x21, 0x11, block4.substr(1))) == "proxy_header");
    CHECK(said(v2(0x21, 0x21, block6.substr(1))) == "proxy_header");
    CHECK(said(v2(0x21, 0x21, block4)) == "proxy_header");
    CHECK(said(v2(0x21, 0x11, "")) == "proxy_header");
}

TEST_CASE("a binary header has its largest size, and a larger one is refused as soon as it says so (2.2)")
{
    const std::size_t most = limits::proxy_header_bytes - 16;
    CHECK(said(v2(0x21, 0x11, block4 + std::string(most - 12, 'x'))) == "10.42.3.7 54321 of 2048");
    CHECK(said(v2(0x21, 0x11, "", most)) == "more");
    CHECK(said(v2(0x21, 0x11, "", most + 1)) == "proxy_header");
    CHECK(said(v2(0x20, 0x00, "", 65535)) == "proxy_header");
}

TEST_CASE("a PROXY header cut at any byte asks for more, never guesses")
{
    for (const auto& whole : {v2(0x21, 0x11, block4 + "tlv"), v2(0x21, 0x21, block6), v2(0x20, 0x00, ""),
                              std::string{"PROXY TCP4 10.42.3.7 10.0.0.1 54321 3128\r\n"}, std::string{"PROXY UNKNOWN\r\n"}})
        for (std::size_t n = 0; n < whole.size(); ++n) CHECK(said(whole.substr(0, n)) == "more");
}

TEST_CASE("what does not begin as a PROXY header is refused at its first wrong byte (2)")
{
    for (const std::string& start : {std::string{"CONNECT ok.test:443 HTTP/1.1\r\n"}, std::string{"\x16\x03\x01"}, std::string{"P0"},
                                     std::string{"PROXY\t"}, std::string{"\r\nP"}, signature.substr(0, 11) + "\r", std::string{"\0", 1}})
        CHECK(said(start) == "proxy_header");
}
