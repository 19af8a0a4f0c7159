// Bounds of the allowlist at their value and one beyond.
#include "small_allowlist.hpp"

#include <fmt/chrono.h>
#include <functional>
#include <ops/policy/policy_status.hpp>
#include <ops/process/memory_trim.hpp>

using namespace exeat;
using namespace exeat::testing;

namespace {

std::string repeated(std::size_t n, const std::function<std::string(std::size_t)>& each)
{
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += each(i);
    return out;
}

std::string quoted(const std::string& s) { return '"' + s + "\", "; }
std::string address(std::size_t i)
{
    return "10." + std::to_string(i / 65536) + '.' + std::to_string(i / 256 % 256) + '.' + std::to_string(i % 256);
}

// `make(n)` is a list that loads with n = most, and with one more does not and says `complaint`.
void bounded(std::size_t most, const std::function<std::string(std::size_t)>& make, std::string_view complaint)
{
    const auto fits = load(make(most));
    CHECK_MESSAGE(fits.rules, text_of(fits.problems).substr(0, 500));
    const auto beyond = load(make(most + 1));
    CHECK_FALSE(beyond.rules);
    const auto said = text_of(beyond.problems);
    CHECK_MESSAGE(said.find(complaint) != std::string::npos, said.substr(0, 500));
}

std::string with(std::string_view line) { return std::string{least} + std::string{entry} + std::string{line} + '\n'; }

} // namespace

TEST_CASE("an allowlist has so many entries")
{
    bounded(
        limits::rules,
        [](std::size_t n) {
            return std::string{least} + repeated(n, [](std::size_t i) {
                       const auto s = std::to_string(i);
                       return "[[allow]]\nname = \"a" + s + "\"\nhosts = [\"h" + s + ".test\"]\n";
                   });
        },
        "2000");
}

TEST_CASE("so many entries may name one host or one wildcard")
{
    for (const std::string host : {"h.test", "*.w.test"})
        bounded(
            limits::entries_of_host,
            [&](std::size_t n) {
                return std::string{least} + repeated(n, [&](std::size_t i) {
                           return "[[allow]]\nname = \"a" + std::to_string(i) + "\"\nhosts = [\"" + host + "\"]\n";
                       });
            },
            "more than 256 entries name " + host);
}

TEST_CASE("an allowlist has so many groups")
{
    bounded(
        limits::groups,
        [](std::size_t n) {
            return "serial = 1\n" +
                   repeated(n, [](std::size_t i) { return "[groups.g" + std::to_string(i) + "]\nsources = [\"" + address(i) + "\"]\n"; }) +
                   std::string{entry};
        },
        "256 at most");
}

TEST_CASE("a group has so many sources")
{
    bounded(
        limits::sources_per_group,
        [](std::size_t n) {
            return "serial = 1\n[groups.g]\nsources = [" + repeated(n, [](std::size_t i) { return quoted(address(i)); }) + "]\n" +
                   std::string{entry};
        },
        "4096");
}

TEST_CASE("a group has so many service accounts and namespaces, and its accounts so many pods")
{
    const auto group = [](std::string_view line) { return "serial = 1\n[groups.g]\n" + std::string{line} + "\n" + std::string{entry}; };
    const auto word = [](std::size_t i) { return std::to_string(i); };
    bounded(
        limits::workloads_per_group,
        [&](std::size_t n) {
            return group("service_accounts = [" + repeated(n, [&](std::size_t i) { return quoted("a/" + word(i)); }) + "]");
        },
        "1024");
    bounded(
        limits::workloads_per_group,
        [&](std::size_t n) { return group("namespaces = [" + repeated(n, [&](std::size_t i) { return quoted(word(i)); }) + "]"); }, "1024");
    bounded(
        limits::instances_ceiling, [&](std::size_t n) { return group("namespaces = [\"a\"]\ninstances = " + word(n)); }, "100000");
}

TEST_CASE("an entry has so many ports")
{
    bounded(
        limits::ports_per_rule,
        [](std::size_t n) { return with("ports = [" + repeated(n, [](std::size_t i) { return std::to_string(i + 1) + ","; }) + "]"); },
        "write 64 at most");
}

TEST_CASE("a private_link has so many networks and so many addresses")
{
    const auto link = [](std::string_view lines) {
        return std::string{least} + "[[private_link]]\nname = \"l\"\nhosts = [\"l.test\"]\n" + std::string{lines} + "\n";
    };
    const auto list = [](std::size_t n) { return "[" + repeated(n, [](std::size_t i) { return quoted(address(i)); }) + "]"; };
    bounded(
        limits::addresses_per_rule, [&](std::size_t n) { return link("within = " + list(n)); }, "64");
    bounded(
        limits::addresses_per_rule, [&](std::size_t n) { return link("within = [\"10.0.0.0/8\"]\naddresses = " + list(n)); }, "64");
}

TEST_CASE("an allowlist has so many tests of its own")
{
    bounded(
        limits::expectations,
        [](std::size_t n) {
            return with("") + repeated(n, [](std::size_t) {
                       return std::string{"[[expect]]\nclient = \"10.42.3.7\"\ntarget = \"ok.test:443\"\nverdict = \"allow\"\n"};
                   });
        },
        "10000");
}

TEST_CASE("a name of an entry, and any text of one, has so many octets")
{
    bounded(
        limits::rule_name_octets,
        [](std::size_t n) { return std::string{least} + "[[allow]]\nname = \"" + std::string(n, 'a') + "\"\nhosts = [\"ok.test\"]\n"; },
        "64");
    bounded(
        limits::text_octets, [](std::size_t n) { return with("reason = \"" + std::string(n, 'a') + "\""); }, "1024");
}

TEST_CASE("a path has so many octets")
{
    // the path may be written; that there is no such file is another matter
    const auto said = [](std::size_t n) {
        return text_of(load(std::string{least} + "[[allow]]\nname = \"a\"\nhosts_file = \"" + std::string(n, 'a') + "\"\n").problems);
    };
    CHECK(said(limits::path_octets).find("4096") == std::string::npos);
    CHECK(said(limits::path_octets + 1).find("4096") != std::string::npos);
}

TEST_CASE("report mode reaches fourteen days ahead to the second")
{
    const auto until = [](wall_time when) {
        return load("report_until = " + fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(when))) +
                    "\nmode = \"report\"\n" + std::string{least} + std::string{entry});
    };
    CHECK(until(now + limits::report_ahead).rules);
    CHECK_FALSE(until(now + limits::report_ahead + std::chrono::seconds{1}).rules);
}

TEST_CASE("files have their largest sizes")
{
    const temporary_directory d;
    label_registry labels;
    const auto list = [&](std::size_t size) {
        auto text = with("");
        text += '#' + std::string(size - text.size() - 1, 'x');
        return load_allowlist(d.write("allowlist.toml", text), labels, now);
    };
    CHECK(list(limits::allowlist_bytes).rules);
    CHECK_FALSE(list(limits::allowlist_bytes + 1).rules);

    const auto path = d.write("named.toml", std::string{least} + "[[allow]]\nname = \"a\"\nhosts_file = \"names.txt\"\n");
    const auto names = [&](std::size_t size) { // a sparse file: too large is said without a look inside
        d.write("names.txt", "ok.test\n");
        std::filesystem::resize_file(d.path("names.txt"), size);
        return text_of(load_allowlist(path, labels, now).problems);
    };
    CHECK(names(limits::hosts_file_bytes).find("larger than") == std::string::npos);
    CHECK(names(limits::hosts_file_bytes + 1).find("larger than 256 MiB") != std::string::npos);
}

TEST_CASE("a line of a hosts_file has so many octets, and the allowlist so many names")
{
    const temporary_directory d;
    label_registry labels;
    const auto path = d.write("allowlist.toml", std::string{least} + "[[allow]]\nname = \"a\"\nhosts_file = \"names.txt\"\n");
    const auto loads = [&](std::string_view names) {
        d.write("names.txt", names);
        return load_allowlist(path, labels, now).rules != nullptr;
    };
    const std::string_view start = "ok.test #";
    const auto line = [&](std::size_t octets) { return std::string{start} + std::string(octets - start.size(), 'x') + "\nother.test\n"; };
    CHECK(loads(line(limits::hosts_line_octets)));
    CHECK_FALSE(loads(line(limits::hosts_line_octets + 1)));

    std::string many; // the same few, counted again each time
    many.reserve(limits::names * 4 + 4);
    for (std::size_t i = 0; i < limits::names; ++i) many += i % 2 ? "a.b\n" : "c.d\n";
    CHECK(loads(many));
    CHECK_FALSE(loads(many + "e.f\n"));
}

TEST_CASE("the digests of so many policies are remembered")
{
    ops::policy_status status;
    for (std::size_t i = 0; i < limits::policy_history; ++i) {
        auto loaded = load("serial = " + std::to_string(i + 1) + "\n");
        REQUIRE(loaded.rules);
        status.took_effect(loaded.rules, now);
    }
    CHECK_FALSE(status.sha256(1).empty());
    status.took_effect(load("serial = 9999\n").rules, now);
    CHECK(status.sha256(1).empty());
    CHECK_FALSE(status.sha256(2).empty());
}

TEST_CASE("memory goes back when less than half of a crowd is left, and not for a few")
{
    ops::crowd_watch few, crowd;
    CHECK_FALSE(few.left(limits::trim_connections - 1));
    CHECK_FALSE(few.left(0));
    CHECK_FALSE(crowd.left(limits::trim_connections));
    CHECK_FALSE(crowd.left(limits::trim_connections / 2));
    CHECK(crowd.left(limits::trim_connections / 2 - 1));
    CHECK_FALSE(crowd.left(0));
}
