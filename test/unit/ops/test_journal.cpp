#include "journal_desk.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::test;

TEST_CASE("every record of every ring is written once and in its ring's order")
{
    constexpr std::uint64_t each = 30'000;
    temporary_directory dir;
    desk d{3};
    auto j = d.open(dir.path("audit.jsonl"));
    std::vector<std::thread> workers;
    for (std::uint64_t w = 0; w < 3; ++w)
        workers.emplace_back([&, w] {
            for (std::uint64_t i = 0; i < each; ++i) push(*d.rings[w], w << 32 | i);
        });
    for (auto& w : workers) w.join();
    j->stop();
    CHECK(whole(dir.path("audit.jsonl")) == "");
    std::array<std::uint64_t, 3> next{};
    for (const auto& o : lines(dir.path("audit.jsonl"))) {
        const auto id = std::stoull(o.at("event.id").as_string().c_str(), nullptr, 16);
        REQUIRE((id & 0xffffffff) == next.at(id >> 32)++);
    }
    CHECK(next == std::array<std::uint64_t, 3>{each, each, each});
    CHECK(j->counts().written == 3 * each);
    CHECK(j->counts().dropped == 0);
    CHECK(j->healthy());
}

TEST_CASE("events reach the file while the journal runs, and the file is for its owner and group only")
{
    temporary_directory dir;
    desk d;
    const auto before = ::umask(0);
    auto j = d.open(dir.path("audit.jsonl"));
    ::umask(before);
    j->note(event(process_event::what::start));
    push(*d.rings[0], 1);
    CHECK(comes_true([&] { return verify_audit(dir.path("audit.jsonl")).lines == 2; }));
    struct stat about {};
    ::stat(dir.path("audit.jsonl").c_str(), &about);
    CHECK((about.st_mode & 0777) == 0640);
    CHECK(comes_true([&] { return j->counts().written == 2; }));
}

TEST_CASE("the last event of all is the stop that was noted last")
{
    temporary_directory dir;
    desk d;
    auto j = d.open(dir.path("audit.jsonl"));
    for (std::uint64_t i = 0; i < 5'000; ++i) push(*d.rings[0], i);
    j->note(event(process_event::what::stop));
    j->stop();
    const auto all = lines(dir.path("audit.jsonl"));
    REQUIRE(all.size() == 5'001);
    CHECK(all.back().at("event.action").as_string() == "stop");
}

TEST_CASE("the first event of all is the start that was noted first, also if both wait for the file")
{
    temporary_directory dir;
    desk d;
    const auto path = dir.path("late/audit.jsonl");
    auto j = d.open(path);
    j->note(event(process_event::what::start));
    push(*d.rings[0], 1);
    std::filesystem::create_directory(dir.path("late"));
    CHECK(comes_true([&] { return j->counts().written == 2; }));
    j->stop();
    const auto all = lines(path);
    REQUIRE(all.size() == 2);
    CHECK(all.front().at("event.action").as_string() == "start");
}

TEST_CASE("a new run goes on with the chain that the file ends with")
{
    temporary_directory dir;
    desk d;
    for (int run = 0; run < 3; ++run) {
        auto j = d.open(dir.path("audit.jsonl"));
        j->note(event(process_event::what::start));
        push(*d.rings[0], 1);
        j->stop();
    }
    const auto found = verify_audit(dir.path("audit.jsonl"));
    CHECK(found.problem == "");
    CHECK(found.last == 6);
}

TEST_CASE("a torn last line is ended and owned up to by the first line of the new run")
{
    temporary_directory dir;
    desk d;
    auto j = d.open(dir.path("audit.jsonl"));
    for (std::uint64_t i = 0; i < 3; ++i) push(*d.rings[0], i);
    j->stop();
    const auto text = contents(dir.path("audit.jsonl"));
    dir.write("audit.jsonl", text.substr(0, text.size() - 30));
    CHECK(whole(dir.path("audit.jsonl")) != "");
    j = d.open(dir.path("audit.jsonl"));
    j->note(event(process_event::what::start));
    push(*d.rings[0], 4);
    j->stop();
    const auto found = verify_audit(dir.path("audit.jsonl"));
    CHECK(found.problem == "");
    CHECK(found.notes.size() == 1);
    CHECK(contents(dir.path("audit.jsonl")).find("\"exeat.audit.torn_octets\":") != std::string::npos);
}

TEST_CASE("after a rotation the chain goes on in the new file and no line is lost or torn")
{
    temporary_directory dir;
    desk d;
    auto j = d.open(dir.path("audit.jsonl"));
    std::thread worker{[&] {
        for (std::uint64_t i = 0; i < 50'000; ++i) push(*d.rings[0], i);
    }};
    for (int i = 0; i < 5; ++i) {
        const auto due = j->counts().written + 100;
        comes_true([&] { return j->counts().written >= due || j->counts().written == 50'000; });
        std::filesystem::rename(dir.path("audit.jsonl"), dir.path("audit." + std::to_string(i)));
        j->reopen();
        CHECK(comes_true([&] { return std::filesystem::exists(dir.path("audit.jsonl")); }));
    }
    worker.join();
    j->stop();
    std::optional<audit_place> end;
    std::uint64_t total = 0;
    for (const auto* name : {"audit.0", "audit.1", "audit.2", "audit.3", "audit.4", "audit.jsonl"}) {
        const auto found = verify_audit(dir.path(name), end);
        CHECK_MESSAGE(found.problem == "", name);
        if (found.end) end = found.end;
        total += found.lines;
    }
    CHECK(total == 50'000);
}

TEST_CASE("a file that was deleted is replaced without being told")
{
    temporary_directory dir;
    desk d;
    auto j = d.open(dir.path("audit.jsonl"));
    push(*d.rings[0], 1);
    CHECK(comes_true([&] { return j->counts().written == 1; }));
    std::filesystem::remove(dir.path("audit.jsonl"));
    CHECK(comes_true([&] { return std::filesystem::exists(dir.path("audit.jsonl")); }));
    push(*d.rings[0], 2);
    j->stop();
    CHECK(verify_audit(dir.path("audit.jsonl")).first == 2);
}

TEST_CASE("a full disk is unhealthy, loses nothing, and is healthy again when there is room")
{
    temporary_directory dir;
    desk d;
    std::filesystem::create_symlink("/dev/full", dir.path("audit.jsonl"));
    auto j = d.open(dir.path("audit.jsonl"));
    CHECK(j->healthy());
    for (std::uint64_t i = 0; i < 100; ++i) push(*d.rings[0], i);
    CHECK(comes_true([&] { return !j->healthy(); }));
    CHECK(j->last_error().find("No space left") != std::string::npos);
    CHECK(comes_true([&] { return j->counts().retried > 0; }));
    std::filesystem::remove(dir.path("audit.jsonl"));
    j->reopen();
    CHECK(comes_true([&] { return j->healthy() && j->counts().written == 100; }));
    CHECK(j->last_error() == "");
    j->stop();
    CHECK(verify_audit(dir.path("audit.jsonl")).lines == 100);
    CHECK(whole(dir.path("audit.jsonl")) == "");
    CHECK(j->counts().dropped == 0);
}

TEST_CASE("a disk that stays full stops the draining, so that workers see full rings, and all of it is written in the end")
{
    temporary_directory dir;
    desk d;
    std::filesystem::create_symlink("/dev/full", dir.path("audit.jsonl"));
    auto j = d.open(dir.path("audit.jsonl"));
    std::uint64_t pushed = 0;
    const auto ring_is_full = [&] {
        while (d.rings[0]->push(opened(pushed))) ++pushed;
        std::this_thread::sleep_for(std::chrono::milliseconds{300}); // longer than the journal's poll
        const bool full = !d.rings[0]->push(opened(pushed));
        pushed += !full;
        return full;
    };
    CHECK(comes_true(ring_is_full));
    CHECK(pushed < 100'000);
    std::filesystem::remove(dir.path("audit.jsonl"));
    j->reopen();
    CHECK(comes_true([&] { return j->counts().written == pushed; }));
    j->stop();
    CHECK(whole(dir.path("audit.jsonl")) == "");
    CHECK(verify_audit(dir.path("audit.jsonl")).lines == pushed);
}

TEST_CASE("a line that was written in part goes on where it stopped")
{
    temporary_directory dir;
    desk d;
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    auto j = d.open(dir.path("audit.jsonl"));
    const rlimit tight{1'000, before.rlim_max}; // in the middle of a line
    ::setrlimit(RLIMIT_FSIZE, &tight);
    for (std::uint64_t i = 0; i < 10; ++i) push(*d.rings[0], i);
    const bool failed = comes_true([&] { return !j->healthy(); });
    const auto size = std::filesystem::file_size(dir.path("audit.jsonl"));
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK(failed);
    CHECK(size == 1'000);
    CHECK(comes_true([&] { return j->healthy() && j->counts().written == 10; }));
    j->stop();
    CHECK(whole(dir.path("audit.jsonl")) == "");
    CHECK(verify_audit(dir.path("audit.jsonl")).lines == 10);
}

TEST_CASE("a line that was written in part is taken back when the file is left, and stands whole in the next")
{
    temporary_directory dir;
    desk d;
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    auto j = d.open(dir.path("audit.jsonl"));
    const rlimit tight{1'000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
    for (std::uint64_t i = 0; i < 10; ++i) push(*d.rings[0], i);
    const bool failed = comes_true([&] { return !j->healthy(); });
    std::filesystem::rename(dir.path("audit.jsonl"), dir.path("audit.0"));
    j->reopen();
    const bool left = comes_true([&] { return std::filesystem::exists(dir.path("audit.jsonl")); });
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK((failed && left));
    CHECK(comes_true([&] { return j->counts().written == 10; }));
    j->stop();
    const auto first = verify_audit(dir.path("audit.0"));
    CHECK(first.problem == "");
    const auto second = verify_audit(dir.path("audit.jsonl"), first.end);
    CHECK(second.problem == "");
    CHECK(first.lines + second.lines == 10);
}

TEST_CASE("a log that cannot be opened is unhealthy from the start, and the events wait for it")
{
    temporary_directory dir;
    desk d;
    auto j = d.open(dir.path("not-there/audit.jsonl"));
    CHECK_FALSE(j->healthy());
    CHECK(j->last_error().find("cannot open") != std::string::npos);
    push(*d.rings[0], 1);
    std::filesystem::create_directory(dir.path("not-there"));
    CHECK(comes_true([&] { return j->healthy() && j->counts().written == 1; }));
    j->stop();
    CHECK(whole(dir.path("not-there/audit.jsonl")) == "");
}

TEST_CASE("a journal that cannot write stops all the same and says what it gave up")
{
    temporary_directory dir;
    desk d;
    auto j = d.open("/dev/full");
    for (std::uint64_t i = 0; i < 10; ++i) push(*d.rings[0], i);
    j->stop();
    CHECK(j->counts().dropped == 10);
    CHECK(j->counts().written == 0);
}

TEST_CASE("a pipe whose reader left is unhealthy and no death")
{
    temporary_directory dir;
    desk d;
    ::mkfifo(dir.path("pipe").c_str(), 0600);
    const int reader = ::open(dir.path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    auto j = d.open(dir.path("pipe"));
    CHECK(j->healthy());
    push(*d.rings[0], 1);
    CHECK(comes_true([&] { return j->counts().written == 1; }));
    ::close(reader);
    push(*d.rings[0], 2);
    CHECK(comes_true([&] { return !j->healthy(); }));
    j->stop();
}

TEST_CASE("a pipe that nobody reads does not hold up the stop")
{
    temporary_directory dir;
    desk d;
    ::mkfifo(dir.path("pipe").c_str(), 0600);
    const int reader = ::open(dir.path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    auto j = d.open(dir.path("pipe"));
    for (std::uint64_t i = 0; i < 1'000; ++i) push(*d.rings[0], i); // more than a pipe holds
    CHECK(comes_true([&] { return !j->healthy(); }));
    j->stop();
    CHECK(j->counts().written + j->counts().dropped == 1'000);
    CHECK(j->counts().dropped > 0);
    ::close(reader);
}
