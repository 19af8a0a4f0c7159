// Which files count as whole, by a real inotify in a directory of the test's own.
#include "temporary_directory.hpp"

#include <ops/files/file_watch.hpp>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <vector>

using namespace exeat::ops;
using namespace std::chrono_literals;

namespace {

struct watching {
    temporary_directory d;
    boost::asio::io_context io{1};
    int changes = 0;
    std::vector<std::string> slow;
    file_watch watch;

    explicit watching(const writer_patience& patience = {})
        : watch{io, [this] { ++changes; }, [this](const std::string& path) { slow.push_back(path); }, patience}
    {}
    ~watching() { watch.stop(); }
    void on(const std::vector<std::string>& names)
    {
        std::vector<watched_file> files;
        for (const auto& n : names) files.emplace_back(d.path(n));
        watch.files(std::move(files));
    }
    bool waits(auto&& for_what)
    {
        for (const auto end = std::chrono::steady_clock::now() + 30s; std::chrono::steady_clock::now() < end;) {
            if (for_what()) return true;
            io.run_for(10ms);
        }
        return false;
    }
    void make(const std::string& name)
    {
        std::filesystem::create_directories(std::filesystem::path{d.path(name)}.parent_path());
        d.write(name, "one\n");
    }
};

// Opens a file in place, truncates it and writes on.
struct writer : std::ofstream {
    explicit writer(const std::string& path) : std::ofstream{path} { *this << "half" << std::flush; }
};

} // namespace

TEST_CASE("a file is not whole because another one of its name was closed")
{
    watching w;
    w.make("a/names.txt");
    w.make("b/names.txt");
    w.on({"a/names.txt", "b/names.txt"});
    const watched_file read{w.d.path("a/names.txt")};
    writer half{w.d.path("a/names.txt")};
    w.d.write("b/names.txt", "other");
    w.io.run_for(700ms); // two looks
    CHECK(w.changes == 0);
    CHECK(w.watch.unsettled(read));
    half.close();
    CHECK(w.waits([&] { return w.changes == 1; }));
}

TEST_CASE("what is written while it is read is unsettled, also where it looks the same as before")
{
    watching w;
    w.make("list.toml");
    w.make("names.txt");
    w.on({"list.toml"}); // nobody knows of names.txt yet
    const watched_file before{w.d.path("names.txt")};
    writer half{w.d.path("names.txt")};
    const watched_file meanwhile{w.d.path("names.txt")};
    CHECK(w.watch.unsettled(before));
    CHECK(w.watch.unsettled(meanwhile));
    CHECK_FALSE(w.watch.unsettled(watched_file{w.d.path("list.toml")}));
    half.close();
    CHECK(w.watch.unsettled(before));
    CHECK_FALSE(w.watch.unsettled(watched_file{w.d.path("names.txt")}));
}

TEST_CASE("a list that comes into the directory is unsettled until it is closed, one that is renamed to there never is")
{
    watching w;
    w.make("allowlist.d/one.toml");
    w.on({"allowlist.d/.", "allowlist.d/one.toml"});
    const watched_file directory{w.d.path("allowlist.d/.")};
    w.make("two.toml");
    std::filesystem::rename(w.d.path("two.toml"), w.d.path("allowlist.d/two.toml"));
    CHECK_FALSE(w.watch.unsettled(watched_file{w.d.path("allowlist.d/.")}));
    writer half{w.d.path("allowlist.d/three.toml")};
    CHECK(w.watch.unsettled(directory));
    half.close();
    CHECK_FALSE(w.watch.unsettled(watched_file{w.d.path("allowlist.d/.")}));
    CHECK(w.waits([&] { return w.changes > 0; }));
}

TEST_CASE("what was renamed over a file while it was read is no reason to read it again")
{
    watching w;
    w.make("list.toml");
    w.on({"list.toml"});
    const watched_file read{w.d.path("list.toml")};
    w.make("new");
    std::filesystem::rename(w.d.path("new"), w.d.path("list.toml"));
    CHECK_FALSE(w.watch.unsettled(read));
    CHECK(w.waits([&] { return w.changes == 1; }));
}

TEST_CASE("one file that is always being written does not keep the others from being read for ever")
{
    watching w{writer_patience{.with_writing = 1s}};
    w.make("feed.txt");
    w.make("list.toml");
    w.on({"feed.txt", "list.toml"});
    writer feed{w.d.path("feed.txt")};
    w.d.write("list.toml", "more");
    const auto writes_on = [&] {
        feed << "more" << std::flush;
        return w.changes > 0;
    };
    CHECK(w.waits(writes_on));
    CHECK_FALSE(w.watch.unsettled(watched_file{w.d.path("feed.txt")})); // given up: it is read as it is
    w.on({"feed.txt", "list.toml"});
    feed << "more" << std::flush;
    CHECK(w.watch.unsettled(watched_file{w.d.path("feed.txt")})); // and waited for again
}

TEST_CASE("a writer that has the file open is waited for while it is silent, and for longer than one that nobody sees")
{
    watching w{writer_patience{.with_silent = 5s}};
    w.make("list.toml");
    w.on({"list.toml"});
    writer half{w.d.path("list.toml")};
    w.io.run_for(3500ms); // the silence that is enough where no events come
    CHECK(w.changes == 0);
    CHECK(w.watch.unsettled(watched_file{w.d.path("list.toml")}));
    CHECK(w.waits([&] { return w.changes == 1; }));
    CHECK_FALSE(w.watch.unsettled(watched_file{w.d.path("list.toml")})); // it is read as it is
}

TEST_CASE("a directory that comes with a list that is being written is not read before that is closed")
{
    watching w;
    w.on({"allowlist.d/."});
    std::filesystem::create_directory(w.d.path("allowlist.d"));
    writer half{w.d.path("allowlist.d/one.toml")};
    for (int n = 0; n < 50; ++n) { // the poll sees the directory, and from then on it is known who writes
        half << "more" << std::flush;
        w.io.run_for(100ms);
    }
    CHECK(w.changes == 0);
    half.close();
    CHECK(w.waits([&] { return w.changes == 1; }));
}

TEST_CASE("a file in a directory that nobody watched is unsettled until it has been quiet")
{
    watching w;
    w.make("list.toml");
    w.on({"list.toml"});
    w.make("feeds/names.txt");
    CHECK(w.watch.unsettled(watched_file{w.d.path("feeds/names.txt")}));
    std::filesystem::last_write_time(w.d.path("feeds/names.txt"), std::filesystem::file_time_type::clock::now() - 10s);
    CHECK_FALSE(w.watch.unsettled(watched_file{w.d.path("feeds/names.txt")}));
}

TEST_CASE("what is renamed to here while it is written is not whole before its writer closes it")
{
    watching w;
    w.make("list.toml");
    w.on({"list.toml"});
    writer half{w.d.path("list.new")};
    std::filesystem::rename(w.d.path("list.new"), w.d.path("list.toml"));
    w.io.run_for(700ms);
    CHECK(w.changes == 0);
    half.close();
    CHECK(w.waits([&] { return w.changes == 1; }));
}

TEST_CASE("who still writes the file that was renamed over keeps nobody waiting")
{
    for (const bool wrote_before : {false, true}) {
        watching w{writer_patience{1h, 1h}};
        w.make("list.toml");
        w.on({"list.toml"});
        std::ofstream old{w.d.path("list.toml"), std::ios::app};
        if (wrote_before) old << "more" << std::flush;
        w.io.run_for(10ms);
        w.d.write("list.new", "another one");
        std::filesystem::rename(w.d.path("list.new"), w.d.path("list.toml"));
        const auto writes_on = [&] {
            old << "more" << std::flush;
            return w.changes > 0;
        };
        CHECK(w.waits(writes_on));
    }
}

TEST_CASE("who writes it by another of its names is seen")
{
    watching w;
    w.make("list.toml");
    w.make("elsewhere/other");
    std::filesystem::remove(w.d.path("list.toml"));
    std::filesystem::create_hard_link(w.d.path("elsewhere/other"), w.d.path("list.toml"));
    w.on({"list.toml"});
    writer half{w.d.path("elsewhere/other")};
    w.io.run_for(3500ms); // the silence that is enough where no events come
    CHECK(w.changes == 0);
    half.close();
    CHECK(w.waits([&] { return w.changes == 1; }));
}

TEST_CASE("a close is a change, also where nothing else shows it")
{
    watching w;
    w.make("list.toml");
    w.on({"list.toml"});
    std::ofstream{w.d.path("list.toml"), std::ios::app}; // as a store into mapped memory: no time moves
    CHECK(w.waits([&] { return w.changes == 1; }));
}

TEST_CASE("more names than are remembered make nothing whole")
{
    watching w;
    w.make("list.toml");
    w.on({"list.toml"});
    std::filesystem::rename(w.d.path("list.toml"), w.d.path("list.toml~"));
    writer half{w.d.path("list.toml")};
    for (int n = 0; n < 4'200; ++n) REQUIRE(::mknod(w.d.path("n" + std::to_string(n)).c_str(), S_IFREG | S_IRUSR, 0) == 0);
    half << "more" << std::flush; // seen after all that
    w.io.run_for(700ms);
    CHECK(w.changes == 0);
    half << "more" << std::flush;
    w.io.run_for(700ms);
    CHECK(w.changes == 0);
    half.close();
    CHECK(w.waits([&] { return w.changes == 1; }));
}
