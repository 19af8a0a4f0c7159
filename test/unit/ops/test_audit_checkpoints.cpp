#include "journal_desk.hpp"

#include <ops/evidence/audit_past.hpp>
#include <ops/evidence/checkpoint_text.hpp>

#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/resource.h>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::test;

namespace {

const event_log quiet{log_format::people};

struct anchored_desk : desk {
    temporary_directory dir;
    std::string path = dir.path("audit.jsonl");
    const audit_checkpoints* points = nullptr;

    std::unique_ptr<journal> open(std::optional<private_key> key = {}, const audit_rotation& rotation = {})
    {
        auto made = std::make_unique<audit_checkpoints>(path, state_directory{dir.path("")}, std::move(key), quiet);
        points = made.get();
        return std::make_unique<journal>(path, rings, labels, status, nullptr, whole_address, rotation, std::move(made));
    }
    audit_anchor anchor() const { return decode_anchor(contents(dir.path(anchor_name(path)))).value_or(audit_anchor{}); }
    std::vector<boost::json::object> of(std::string_view action) const
    {
        std::vector<boost::json::object> out;
        for (auto& o : lines(path))
            if (o.at("event.action").as_string() == action) out.push_back(o);
        return out;
    }
};

std::string hash_of(std::string_view line)
{
    const auto hex = sha256{}.of(line);
    return {hex.data(), hex.size()};
}

private_key some_key() { return std::move(*private_key::generate()); }

} // namespace

TEST_CASE("a checkpoint is due after so many lines or so long, not a line and not a moment before, and never without a line")
{
    temporary_directory dir;
    audit_checkpoints points{dir.path("audit.jsonl"), state_directory{}, {}, quiet};
    const auto begin = audit_checkpoints::clock::now();
    const std::string hash(64, '0');
    const auto moment = std::chrono::nanoseconds{1};
    CHECK_FALSE(points.due(begin));
    points.logged();
    CHECK(points.due(begin) == checkpoint_reason::start);
    points.added(1, hash, begin);
    points.logged();
    CHECK_FALSE(points.due(begin + limits::checkpoint_time)); // the last one is not on the disk yet
    CHECK_FALSE(points.settle(audit_file{dir.path("none")}));
    CHECK_FALSE(points.due(begin + limits::checkpoint_time - moment));
    CHECK(points.due(begin + limits::checkpoint_time) == checkpoint_reason::time);
    for (std::uint64_t i = 1; i + 1 < limits::checkpoint_lines; ++i) points.logged();
    CHECK_FALSE(points.due(begin + limits::checkpoint_pause));
    points.logged();
    CHECK(points.due(begin + limits::checkpoint_pause) == checkpoint_reason::lines);
    CHECK_FALSE(points.due(begin + limits::checkpoint_pause - moment));
}

TEST_CASE("the log ends with a checkpoint, and the state and the gauges know its number and hash")
{
    anchored_desk d;
    auto j = d.open();
    push(*d.rings[0], 1);
    CHECK(comes_true([&] { return d.points->published().sequence == 2; })); // at the start
    for (std::uint64_t i = 0; i < 5; ++i) push(*d.rings[0], i);
    j->stop();
    const auto text = contents(d.path);
    const auto last = text.substr(text.rfind('\n', text.size() - 2) + 1);
    const auto line = last.substr(0, last.size() - 1);
    const auto link = read_link(line);
    REQUIRE(link);
    CHECK(link->action == "checkpoint");
    CHECK(link->log == d.path);
    CHECK(d.anchor().sequence == link->sequence);
    CHECK(d.anchor().sha256 == hash_of(line));
    CHECK(d.points->published().sequence == link->sequence);
    CHECK(fmt::format("{:013x}", d.points->published().hash) == hash_of(line).substr(0, 13));
    CHECK(whole(d.path) == "");
    CHECK(d.of("checkpoint").back().at("event.reason").as_string() == "end");
    j = d.open(); // nothing is logged: nothing changes
    CHECK(d.points->published().sequence == link->sequence);
    j->stop();
    CHECK(contents(d.path) == text);
}

TEST_CASE("every file that is rotated by its size ends with a checkpoint")
{
    anchored_desk d;
    auto j = d.open({}, {1024 * 1024, 100});
    for (std::uint64_t i = 0; i < 12'000; ++i) push(*d.rings[0], i);
    j->stop();
    std::size_t files = 0;
    for (const auto& at : std::filesystem::directory_iterator{d.dir.path("")}) {
        const auto name = at.path().filename().string();
        if (!name.starts_with("audit.jsonl.")) continue;
        ++files;
        const auto last = lines(at.path().string()).back();
        CHECK(last.at("event.action").as_string() == "checkpoint");
        CHECK(last.at("event.reason").as_string() == "rotation");
        CHECK(std::stoull(name.substr(12)) == last.at("event.sequence").to_number<std::uint64_t>());
        CHECK(std::filesystem::file_size(at.path()) <= 1024 * 1024);
        CHECK(std::filesystem::file_size(at.path()) > 1024 * 1024 - limits::audit_rotation_room - 2 * limits::audit_line_bytes);
    }
    CHECK(files > 3);
}

TEST_CASE("no octet of a signed checkpoint can be changed, and it fits no other line")
{
    anchored_desk d;
    auto key = some_key();
    d.dir.write("key.pub", key.public_pem());
    const auto trusted = *public_key::read(d.dir.path("key.pub"));
    auto j = d.open(std::move(key));
    for (std::uint64_t i = 0; i < 5; ++i) push(*d.rings[0], i);
    j->stop();
    CHECK(d.points->counts().is_signed > 0);
    const auto text = contents(d.path);
    const auto from = text.rfind('\n', text.size() - 2) + 1;
    for (auto i = from; i + 1 < text.size(); ++i) {
        auto bad = text;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        d.dir.write("bad", bad);
        audit_witness witness{{trusted}, {}};
        audit_verifier log{&witness};
        const bool good = log.read(d.dir.path("bad")) && log.files()[0].whole() && witness.objections(log.first(), log.last()).empty() &&
                          witness.proven()->sequence == log.last();
        CHECK_MESSAGE(!good, "octet " << i - from);
    }
}

TEST_CASE("a checkpoint that cannot be written makes the log ill like any line, and is known outside only once it is there")
{
    anchored_desk d;
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    auto j = d.open();
    push(*d.rings[0], 1);
    CHECK(comes_true([&] { return d.points->published().sequence == 2; }));
    const rlimit tight{std::filesystem::file_size(d.path) + 100, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
    push(*d.rings[0], 2);
    const bool failed = comes_true([&] { return !j->healthy(); });
    j->reopen();
    CHECK(d.points->published().sequence == 2);
    CHECK(d.anchor().sequence == 2);
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK(failed);
    CHECK(comes_true([&] { return j->healthy() && d.points->published().sequence == 4; }));
    j->stop();
    CHECK(whole(d.path) == "");
    CHECK(d.anchor().sequence == 4);
}

TEST_CASE("an anchor is found in the file, right before its first line, or in a file beside it; otherwise there is a gap")
{
    anchored_desk d;
    auto j = d.open();
    for (std::uint64_t i = 0; i < 20; ++i) push(*d.rings[0], i);
    j->stop();
    const auto anchor = d.anchor();
    const auto text = contents(d.path);
    std::vector<std::string> all;
    for (std::size_t at = 0; at < text.size(); at += all.back().size()) all.push_back(text.substr(at, text.find('\n', at) + 1 - at));
    REQUIRE(anchor.sequence == all.size());
    const auto joined = [&](std::size_t n, std::size_t count) {
        std::string out;
        for (; count > 0; --count) out += all[n++];
        return out;
    };
    const auto look = [&](const audit_anchor& a) {
        const auto tail = read_audit_tail(d.path);
        return look_back(d.path, true, tail ? std::optional{*tail} : std::nullopt, a);
    };
    const auto at = [&](std::size_t n) {
        return audit_anchor{n, hash_of(std::string_view{all[n - 1]}.substr(0, all[n - 1].size() - 1)), anchor.at, "h", d.path};
    };
    CHECK(look(anchor).gap == "");
    CHECK(look(anchor).next == all.size() + 1);
    CHECK(look(at(3)).gap == ""); // older than the end
    for (const std::size_t cut : {1, 3}) {
        d.dir.write("audit.jsonl", joined(0, all.size() - cut));
        CHECK(look(anchor).gap.find("missing") != std::string::npos);
        CHECK(look(anchor).next == anchor.sequence + 1); // no number is used twice
    }
    d.dir.write("audit.jsonl", joined(10, all.size() - 10)); // rotated at line 10, and killed before the next checkpoint
    CHECK(look(at(10)).gap == "");
    CHECK(look(at(9)).gap != "");
    d.dir.write("audit.jsonl.1", joined(0, 10));
    CHECK(look(at(9)).gap == "");
    d.dir.write("audit.jsonl", "");
    CHECK(look(at(9)).next == 11);
    CHECK_FALSE(look(at(9)).after);
    auto other = at(9);
    other.sha256 = std::string(64, 'e');
    CHECK(look(other).after);
    CHECK(look(other).next == 10);
    d.dir.write("audit.jsonl", joined(0, 12));
    CHECK(look(other).gap.find("changed") != std::string::npos);
}

TEST_CASE("the end of a file is found behind whatever a crash has left there")
{
    temporary_directory dir;
    desk d;
    auto j = d.open(dir.path("audit.jsonl"));
    for (std::uint64_t i = 0; i < 3; ++i) push(*d.rings[0], i);
    j->stop();
    const auto text = contents(dir.path("audit.jsonl"));
    const auto tail = [&](const std::string& more) {
        dir.write("audit.jsonl", text + more);
        return *read_audit_tail(dir.path("audit.jsonl"));
    };
    CHECK(tail("").last == 3);
    CHECK(tail("").fragment == "");
    CHECK(tail("{\"x").fragment == "{\"x");
    CHECK(tail("{\"x\n").fragment == "{\"x");
    CHECK(tail("{\"x\n{\"y").fragment == "{\"x\n{\"y"); // two crashes, one after the other
    CHECK(tail(std::string(100'000, '\0')).last == 3);
    CHECK(tail(std::string(100'000, '\0')).fragment.size() == 100'000);
    dir.write("audit.jsonl", text.substr(0, text.size() - 1)); // only the newline is missing
    CHECK(read_audit_tail(dir.path("audit.jsonl"))->last == 3);
    CHECK(read_audit_tail(dir.path("audit.jsonl"))->fragment == "");
    for (const std::uint64_t n : {1, 2, 3}) CHECK(read_link(find_audit_line(dir.path("audit.jsonl"), n).text)->sequence == n);
    CHECK(find_audit_line(dir.path("audit.jsonl"), 4).text == "");
}

TEST_CASE("a log whose crash left anything at all is whole after the next start")
{
    for (const std::string& left :
         {std::string{"{\"x"}, std::string{"{\"x\n{\"y"}, std::string(100'000, '\0'), std::string(40'000, 'x') + "\n"}) {
        anchored_desk d;
        auto j = d.open();
        for (std::uint64_t i = 0; i < 3; ++i) push(*d.rings[0], i);
        j->stop();
        d.dir.write("audit.jsonl", contents(d.path) + left);
        j = d.open();
        push(*d.rings[0], 4);
        j->stop();
        CHECK(whole(d.path) == "");
        CHECK(d.points->counts().gaps == 0);
    }
}

TEST_CASE("no other bytes than its own are an anchor")
{
    const audit_anchor a{4'711, std::string(64, 'a'), {}, "host", "/var/log/exeat/audit.jsonl"};
    const auto good = encode(a);
    REQUIRE(decode_anchor(good));
    CHECK(decode_anchor(good)->sequence == a.sequence);
    CHECK(decode_anchor(good)->log == a.log);
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        CHECK_FALSE(decode_anchor(bad));
        CHECK_FALSE(decode_anchor(good.substr(0, i)));
    }
    CHECK(first_52_bits("fffffffffffff" + std::string(51, '0')) == (1ull << 52) - 1);
    CHECK(first_52_bits("not a hash") == 0);
}

TEST_CASE("an anchor that cannot be read is told, and no more")
{
    anchored_desk d;
    auto j = d.open();
    push(*d.rings[0], 1);
    j->stop();
    d.dir.write(anchor_name(d.path), "junk");
    j = d.open();
    push(*d.rings[0], 2);
    j->stop();
    CHECK(d.points->counts().gaps == 1);
    CHECK(d.of("gap").size() == 1);
    CHECK(verify_audit(d.path).notes.size() == 1);
    CHECK(whole(d.path) == "");
}
