// The file by which an analyst quarantines: what it may say, what is wrong with the rest, and what a change leaves behind.
#include "temporary_directory.hpp"

#include <exeat/limits.hpp>
#include <ops/state/quarantine_file.hpp>

#include <doctest/doctest.h>
#include <fstream>

using namespace exeat;
using namespace exeat::ops;

namespace {

const wall_time begun{std::chrono::seconds{1'800'000'000}}, end = begun + std::chrono::hours{1};

quarantine of_client(const char* network, std::string reason = "why")
{
    return {ip_prefix::parse(network), "", begun, end, "alice", std::move(reason)};
}

bool says(const std::string& path, const quarantines& expected)
{
    const auto read = read_quarantines(path);
    return read && *read == expected;
}

std::string wrong_with(const std::string& text)
{
    const temporary_directory dir;
    std::ofstream{dir.path("quarantine")} << text;
    const auto read = read_quarantines(dir.path("quarantine"));
    return read ? "nothing" : read.error().substr(dir.path("quarantine").size());
}

} // namespace

TEST_CASE("a quarantine holds whoever is in its network, or what its entry lets out")
{
    const auto inside = *ip_address::parse("10.1.2.3"), outside = *ip_address::parse("10.2.0.1");
    const auto client = of_client("10.1.0.0/16");
    CHECK(client.holds(inside, "any"));
    CHECK_FALSE(client.holds(outside, "any"));
    const quarantine entry{std::nullopt, "packages", begun, end, "alice", "why"};
    CHECK(entry.holds(outside, "packages"));
    CHECK_FALSE(entry.holds(outside, "package"));
    CHECK(client.target() == "client 10.1.0.0/16");
    CHECK(entry.target() == "entry packages");
}

TEST_CASE("without a file nothing is quarantined; what is written is read back as it was")
{
    const temporary_directory dir;
    const auto path = quarantine_path(dir.path(""));
    CHECK(read_quarantines(path)->empty());
    const quarantine entry{std::nullopt, "packages", begun, end, "bob", R"(a "quoted" \ reason)"};
    change_quarantines(path, [&](quarantines& all) { all = {of_client("10.1.2.3"), of_client("fd00::/64")}; });
    change_quarantines(path, [&](quarantines& all) { all.push_back(entry); });
    CHECK(says(path, quarantines{of_client("10.1.2.3"), of_client("fd00::/64"), entry}));
}

TEST_CASE("a change that cannot be made leaves the file as it was")
{
    const temporary_directory dir;
    const auto path = dir.path("quarantine");
    change_quarantines(path, [](quarantines& all) { all = {of_client("10.1.2.3")}; });
    CHECK_THROWS_AS(change_quarantines(path, [](quarantines& all) { all.assign(limits::quarantines + 1, of_client("10.1.2.4")); }),
                    std::runtime_error);
    CHECK(says(path, quarantines{of_client("10.1.2.3")}));
    std::ofstream{path} << "junk";
    CHECK_THROWS_AS(change_quarantines(path, [](quarantines& all) { all.clear(); }), std::runtime_error);
    CHECK_FALSE(read_quarantines(path).has_value());
}

TEST_CASE("what is wrong with the file is said with its place")
{
    const std::string end_of_it = "until = 2026-12-24T04:00:00Z\n";
    CHECK(wrong_with("[[quarantine]]\nclient = \"10.1.2.3\"\n" + end_of_it) == "nothing");
    CHECK(wrong_with("[[quarantine]]\nentry = \"packages\"\n" + end_of_it) == "nothing");
    CHECK(wrong_with("junk").starts_with(":1:5: error: "));
    CHECK(wrong_with("[[quarantine]]\n" + end_of_it).find("names a client, a service_account or an entry") != std::string::npos);
    CHECK(wrong_with("[[quarantine]]\nclient = \"10.1.2.3\"\nentry = \"packages\"\n" + end_of_it)
              .find("names a client, a service_account or an entry") != std::string::npos);
    CHECK(wrong_with("[[quarantine]]\nclient = \"10.1.2.3\"\n").find("'until'") != std::string::npos);
    CHECK(wrong_with("[[quarantine]]\nclient = \"10.1.2.300\"\n" + end_of_it).starts_with(":2:"));
    CHECK(wrong_with("[[quarantine]]\nclient = \"10.1.2.0/8\"\n" + end_of_it).starts_with(":2:"));
    CHECK(wrong_with("[[quarantine]]\nclient = 7\n" + end_of_it).starts_with(":2:"));
    CHECK(wrong_with("[[quarantine]]\nclient = \"10.1.2.3\"\nuntil = 2026-12-24T04:00:00\n").find("time zone") != std::string::npos);
    CHECK(wrong_with("[[quarantine]]\nclient = \"10.1.2.3\"\nhosts = []\n" + end_of_it).find("hosts") != std::string::npos);
}

TEST_CASE("the file has so many octets and quarantines, and not one more")
{
    CHECK(wrong_with(std::string(limits::quarantine_bytes, '#')) == "nothing");
    CHECK(wrong_with(std::string(limits::quarantine_bytes + 1, '#')) != "nothing");
    const temporary_directory dir;
    const auto path = dir.path("quarantine");
    const auto fill = [](std::size_t n) { return [n](quarantines& all) { all.assign(n, of_client("10.1.2.4")); }; };
    change_quarantines(path, fill(limits::quarantines));
    CHECK_THROWS_AS(change_quarantines(path, fill(limits::quarantines + 1)), std::runtime_error);
    CHECK(read_quarantines(path)->size() == limits::quarantines);
    constexpr auto most = limits::quarantines + limits::rules; // with those of entries that inherit
    change_quarantines(path, fill(most), most);
    CHECK(read_quarantines(path)->size() == most);
    change_quarantines(path, fill(most - 1)); // fewer than before
    change_quarantines(path, fill(most), most);
    std::ofstream{path, std::ios::app} << "[[quarantine]]\nentry = \"one more\"\nuntil = 2026-12-24T04:00:00Z\n";
    CHECK_FALSE(read_quarantines(path).has_value());
}
