#include "journal_desk.hpp"

#include <ops/evidence/audit_rotation.hpp>

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::test;

namespace {

std::vector<std::string> rotated_in(const temporary_directory& dir)
{
    std::vector<std::string> names;
    for (const auto& at : std::filesystem::directory_iterator{dir.path("")}) {
        auto name = at.path().filename().string();
        if (name.starts_with("audit.jsonl.")) names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

TEST_CASE("a log that has its size is renamed after its last line, so many are kept, and the chain goes on over all of them")
{
    constexpr std::uint64_t lines_written = 12'000; // 600 octets each, or so
    temporary_directory dir;
    desk d;
    dir.write("audit.jsonl.keep-me", "another tool's");
    const audit_rotation by_size{1024 * 1024, 4};
    auto j = std::make_unique<journal>(dir.path("audit.jsonl"), d.rings, d.labels, d.status, nullptr, whole_address, by_size);
    for (std::uint64_t i = 0; i < lines_written; ++i) push(*d.rings[0], i);
    CHECK(comes_true([&] { return j->counts().written == lines_written; }));
    j->stop();
    CHECK(j->counts().errors == 0);
    auto names = rotated_in(dir);
    CHECK(names.back() == "audit.jsonl.keep-me");
    names.pop_back();
    REQUIRE(names.size() == by_size.keep);
    std::optional<audit_place> end;
    for (const auto& name : names) {
        CHECK(std::filesystem::file_size(dir.path(name)) <= by_size.max_size);
        const auto found = verify_audit(dir.path(name), end);
        CHECK_MESSAGE(found.problem == "", name);
        end = found.end;
        CHECK(std::stoull(name.substr(std::string_view{"audit.jsonl."}.size())) == found.last);
    }
    const auto last = verify_audit(dir.path("audit.jsonl"), end);
    CHECK(last.problem == "");
    CHECK(last.last == lines_written);
}

TEST_CASE("a rotation overwrites nothing, counts what was compressed since, and deletes the oldest by time")
{
    temporary_directory dir;
    const auto log = dir.path("audit.jsonl");
    const auto rotate = [&](std::uint64_t number, std::string_view text) {
        dir.write("audit.jsonl", text);
        return rotate_audit_file(log, number, 3);
    };
    CHECK_FALSE(rotate(7, "first"));
    CHECK_FALSE(rotate(7, "second")); // the chain had begun anew
    CHECK(contents(dir.path("audit.jsonl.000000000007")) == "first");
    CHECK(contents(dir.path("audit.jsonl.000000000007-2")) == "second");
    std::filesystem::rename(dir.path("audit.jsonl.000000000007"), dir.path("audit.jsonl.000000000007.gz"));
    const auto ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours{1};
    std::filesystem::last_write_time(dir.path("audit.jsonl.000000000007.gz"), ago);
    for (const auto* other : {"audit.jsonl.1", "audit.jsonl.old", "audit.jsonl.000000000007-x", "audit.jsonl-20260101"}) {
        dir.write(other, "another tool's");
        std::filesystem::last_write_time(dir.path(other), ago);
    }
    CHECK_FALSE(rotate(3, "third"));
    CHECK_FALSE(rotate(4, "fourth"));
    CHECK(rotated_in(dir) == std::vector<std::string>{"audit.jsonl.000000000003", "audit.jsonl.000000000004", "audit.jsonl.000000000007-2",
                                                      "audit.jsonl.000000000007-x", "audit.jsonl.1", "audit.jsonl.old"});
    CHECK(rotate_audit_file(dir.path("not-there"), 1, 3));
}

TEST_CASE("a tool that rotates beside it loses nothing, and its new file is not taken for the old one")
{
    constexpr std::uint64_t lines_written = 12'000;
    temporary_directory dir;
    desk d;
    const audit_rotation by_size{1024 * 1024, 100};
    auto j = std::make_unique<journal>(dir.path("audit.jsonl"), d.rings, d.labels, d.status, nullptr, whole_address, by_size);
    for (std::uint64_t i = 0; i < lines_written; ++i) {
        push(*d.rings[0], i);
        if (i % 3'000 != 2'500) continue;
        std::error_code between_two;
        std::filesystem::rename(dir.path("audit.jsonl"), dir.path("tool." + std::to_string(i)), between_two);
        j->reopen();
    }
    CHECK(comes_true([&] { return j->counts().written == lines_written; }));
    j->stop();
    std::uint64_t lines = verify_audit(dir.path("audit.jsonl")).lines;
    for (const auto& at : std::filesystem::directory_iterator{dir.path("")}) {
        const auto found = verify_audit(at.path().string());
        CHECK_MESSAGE(found.problem == "", at.path().string());
        if (at.path().filename() != "audit.jsonl") lines += found.lines;
    }
    CHECK(lines == lines_written);
    CHECK(j->counts().dropped == 0);
}

TEST_CASE("a log that cannot be renamed is written on")
{
    temporary_directory dir;
    desk d;
    const auto path = dir.path(std::string(250, 'a')); // a name with a number behind it is too long for any file
    const audit_rotation by_size{1024 * 1024, 4};
    auto j = std::make_unique<journal>(path, d.rings, d.labels, d.status, nullptr, whole_address, by_size);
    for (std::uint64_t i = 0; i < 4'000; ++i) push(*d.rings[0], i);
    CHECK(comes_true([&] { return j->counts().written == 4'000; }));
    j->stop();
    CHECK(j->counts().errors > 0);
    CHECK(verify_audit(path).lines == 4'000);
}

TEST_CASE("what was withheld has a line that says how many")
{
    label_registry labels;
    policy_status status;
    audit_line line{labels, status};
    audit_chain chain;
    std::string out;
    auto e = event(process_event::what::withheld);
    e.ok = false;
    e.stands_for = 60;
    line.append(out, e, chain);
    const auto o = boost::json::parse(out).as_object();
    CHECK(o.at("event.action").as_string() == "withheld");
    CHECK(o.at("exeat.audit.stands_for").to_number<int>() == 60);
}
