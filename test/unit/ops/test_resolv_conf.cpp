// Which DNS servers resolv.conf(5) names.
#include "temporary_directory.hpp"

#include <exeat/limits.hpp>
#include <ops/files/resolv_conf.hpp>

#include <doctest/doctest.h>
#include <string>

using namespace exeat;
using namespace exeat::ops;

namespace {

named_servers read(const std::string& text)
{
    const temporary_directory d;
    return read_resolv_conf(d.write("resolv.conf", text));
}

std::string asked(const std::string& text)
{
    std::string out;
    for (const auto& s : read(text).servers) (out += out.empty() ? "" : " ") += s.to_string();
    return out;
}

} // namespace

TEST_CASE("the nameserver lines name the servers, in their order and each once; all other lines are passed over")
{
    CHECK(asked("nameserver 10.0.0.1") == "10.0.0.1:53");
    CHECK(asked("# nameserver 10.0.0.9\n; nameserver 10.0.0.8\nsearch lab.test\noptions ndots:5\n\nnameserver 10.0.0.2\n"
                "nameserver\t2001:db8::1 # ours\r\nnameserver 10.0.0.2\nnameservers 10.0.0.3\n") == "10.0.0.2:53 [2001:db8::1]:53");
    CHECK(asked("nameserver 127.0.0.1:5353\nnameserver [::1]:5353") == "127.0.0.1:5353 [::1]:5353");
    CHECK(read("nameserver 10.0.0.1\n").problems.empty());
}

TEST_CASE("a server that cannot be asked is told of with its line, and the others are asked")
{
    const auto said = read("nameserver fe80::1%eth0\nnameserver\nnameserver 10.0.0.1\nnameserver 10.0.0.300\n");
    CHECK(said.servers.size() == 1);
    REQUIRE(said.problems.size() == 3);
    CHECK(said.problems[0].to_string().find("resolv.conf:1:1: warning: 'fe80::1%eth0' is not a DNS server") != std::string::npos);
    CHECK(said.problems[1].line == 2);
    CHECK(said.problems[2].line == 4);
}

TEST_CASE("there are as many servers as may be, and the next one is told of")
{
    std::string text;
    for (std::size_t n = 1; n <= limits::dns_servers + 1; ++n) text += "nameserver 10.0.0." + std::to_string(n) + "\n";
    const auto said = read(text);
    CHECK(said.servers.size() == limits::dns_servers);
    REQUIRE(said.problems.size() == 1);
    CHECK(said.problems.front().line == limits::dns_servers + 1);
}

TEST_CASE("a file that names no server, that is not there or is not a file says so")
{
    for (const auto* text : {"", "\n\n", "search lab.test\n", "#nameserver 10.0.0.1", "nameserver ns.test\n"}) {
        const auto said = read(text);
        CHECK(said.servers.empty());
        REQUIRE_FALSE(said.problems.empty());
        CHECK(said.problems.back().text.find("names no DNS server") == 0);
    }
    const temporary_directory d;
    CHECK(read_resolv_conf(d.path("none")).problems.back().text.find("cannot open: No such file") == 0);
    CHECK(read_resolv_conf(d.path("")).problems.back().text.find("is a directory") == 0);
    CHECK(read_resolv_conf(d.path("none")).servers.empty());
}

TEST_CASE("whatever octets a line has, the problem that it makes is one line of text")
{
    const auto said = read(std::string{"nameserver \x1b[31m\xff\n"} + "nameserver " + std::string(100'000, 'x') + "\n");
    for (const auto& p : said.problems)
        for (const char c : p.to_string()) CHECK((c >= ' ' && c <= '~'));
    CHECK(said.problems[1].text.size() < 200);
}
