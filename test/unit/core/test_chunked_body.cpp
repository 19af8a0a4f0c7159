#include <exeat/chunked_body.hpp>

#include <doctest/doctest.h>
#include <random>
#include <string>

using namespace exeat;

namespace {

struct outcome {
    std::string data;
    std::size_t consumed = 0;
    bool done = false, malformed = false;
    bool operator==(const outcome&) const = default;
};

// Feeds `in` in pieces of `size` bytes, until the body ends or breaks.
outcome read(std::string_view in, std::size_t size)
{
    chunk_reader reader;
    outcome all;
    for (std::size_t at = 0; at < in.size() && !all.done && !all.malformed; at += size) {
        auto piece = in.substr(at, size);
        for (;;) {
            const auto s = reader.read(piece);
            all.consumed += s.consumed;
            all.data += s.data;
            all.done = s.done;
            all.malformed = s.malformed;
            if (s.consumed == 0 || s.done || s.malformed) break;
            piece.remove_prefix(s.consumed);
        }
    }
    return all;
}

outcome read(std::string_view in) { return read(in, in.size()); }

void refuse(std::string_view in)
{
    CAPTURE(in);
    CHECK(read(in).malformed);
    CHECK(read(in, 1).malformed);
}

} // namespace

TEST_CASE("a chunked body is its payload, and ends with its last chunk")
{
    const auto r = read("5\r\nhello\r\n00A\r\n, world...\r\n0\r\n\r\nGET / HTTP/1.1\r\n");
    CHECK(r.data == "hello, world...");
    CHECK(r.done);
    CHECK(r.consumed == std::string_view{"5\r\nhello\r\n00A\r\n, world...\r\n0\r\n\r\n"}.size());
    CHECK(read("0\r\n\r\n").done);
    CHECK(read("1\r\n\n\r\n000\r\n\r\n").data == "\n");
}

TEST_CASE("one step takes at most one run of payload")
{
    chunk_reader reader;
    const std::string_view in = "5\r\nhello\r\n1\r\nx\r\n";
    const auto first = reader.read(in);
    CHECK(first.data == "hello");
    CHECK(first.consumed == 8);
    CHECK_FALSE(first.done);
    const auto second = reader.read(in.substr(first.consumed));
    CHECK(second.data == "x");
    CHECK(reader.read("").consumed == 0);
}

TEST_CASE("a finished or broken body takes nothing more")
{
    chunk_reader reader;
    CHECK(reader.read("0\r\n\r\nx").consumed == 5);
    const auto after = reader.read("x");
    CHECK(after.consumed == 0);
    CHECK(after.done);
    chunk_reader broken;
    CHECK(broken.read("x").malformed);
    const auto again = broken.read("0\r\n\r\n");
    CHECK(again.consumed == 0);
    CHECK(again.malformed);
    CHECK_FALSE(again.done);
}

TEST_CASE("sizes are hexadecimal digits and nothing else")
{
    for (const auto* in : {"+5\r\nhello\r\n", "-5\r\n", "0x5\r\nhello\r\n", "5;\nhello\r\n", "5\nhello\r\n", " 5\r\nhello\r\n",
                           "5 \r\nhello\r\n", "5\t;x\r\n", "\r\n", ";x\r\n", "g\r\n", "5\r\r\n", "5,\r\n", "5\rx"})
        refuse(in);
    refuse(std::string_view{"5\0\r\n", 4});
}

TEST_CASE("sizes that could overflow are refused while they are read")
{
    refuse("7fffffffffffffff\r\n");
    refuse("ffffffffffffffff\r\n");
    refuse("0000000000000001\r\n");
    refuse("10000000000000005\r\n");
    const auto largest = read("fffffffffffffff\r\nabc");
    CHECK_FALSE(largest.malformed);
    CHECK(largest.data == "abc");
}

TEST_CASE("payload ends in CRLF")
{
    for (const auto* in : {"5\r\nhelloXX", "5\r\nhello\n", "5\r\nhello\rX", "5\r\nhello0\r\n\r\n", "5\r\nhell\r\n0\r\n\r\n"}) refuse(in);
}

TEST_CASE("extensions are dropped and bounded")
{
    CHECK(read("5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n").data == "hello");
    const auto line = [](std::size_t bytes) { return "5;" + std::string(bytes - 4, 'x') + "\r\nhello\r\n"; };
    CHECK(read(line(limits::chunk_line_bytes)).data == "hello");
    refuse(line(limits::chunk_line_bytes + 1));
    refuse("5;" + std::string(16'384, 'x'));
    refuse("5;a\rb\r\n");
    refuse("5;a\x01\r\n");
}

TEST_CASE("trailers are dropped, bounded and field lines")
{
    CHECK(read("0\r\nA: b\r\nC:\r\n\r\n").done);
    const auto trailers = [](std::size_t bytes) { return "0\r\nA:" + std::string(bytes - 6, 'x') + "\r\n\r\n"; };
    CHECK(read(trailers(limits::trailer_bytes)).done);
    refuse(trailers(limits::trailer_bytes + 1));
    for (const auto* in : {"0\r\n A: b\r\n\r\n", "0\r\nA\r\n\r\n", "0\r\nA : b\r\n\r\n", "0\r\n: b\r\n\r\n", "0\r\nA: b\n\r\n", "0\r\n\n",
                           "0\r\n\rx", "0\r\nA: b\r\n c\r\n\r\n", "0\r\nA: \x01\r\n", "0\r\nA: b\rx"})
        refuse(in);
}

TEST_CASE("a body fed in pieces of any size is the body fed whole, broken or not")
{
    constexpr std::string_view sharp = "\r\n0123fF;:x \t";
    const std::string seed = "5\r\nhello\r\n1;x=y\r\n,\r\na\r\n0123456789\r\n0\r\nA: b\r\nC: d\r\n\r\nnext";
    std::mt19937 dice{8};
    unsigned done = 0, broken = 0;
    for (int i = 0; i < 20'000; ++i) {
        auto in = seed;
        if (i > 0)
            for (auto changes = dice() % 3; changes > 0; --changes) in[dice() % in.size()] = sharp[dice() % sharp.size()];
        const auto whole = read(in);
        REQUIRE(read(in, 1) == whole);
        REQUIRE(read(in, 1 + dice() % 9) == whole);
        done += whole.done;
        broken += whole.malformed;
    }
    CHECK(done > 1'000);
    CHECK(broken > 1'000);
}

TEST_CASE("a body that stops early is neither whole nor broken")
{
    const std::string_view in = "5\r\nhello\r\n0\r\nA: b\r\n\r\n";
    for (std::size_t n = 0; n < in.size(); ++n) {
        const auto r = read(in.substr(0, n));
        REQUIRE_FALSE(r.done);
        REQUIRE_FALSE(r.malformed);
    }
}
