#include "small_allowlist.hpp"

#include <sys/stat.h>

using namespace exeat;
using namespace exeat::testing;

TEST_CASE("problems of a hosts_file have its own lines, twenty of them and a count of the rest")
{
    const temporary_directory d;
    label_registry labels;
    const auto path = d.write("allowlist.toml", std::string{least} + "[[allow]]\nname = \"a\"\nhosts_file = \"names.txt\"\n");
    std::string names = "ok.test\n\n# fine\n  bad host\n*.com\r\n";
    for (int i = 0; i < 30; ++i) names += "bad/" + std::to_string(i) + "\n";
    d.write("names.txt", names + "fine.test");
    const auto loaded = load_allowlist(path, labels, now);
    CHECK_FALSE(loaded.rules);
    REQUIRE(loaded.problems.size() == limits::hosts_file_problems + 1);
    CHECK(loaded.problems[0].file == d.path("names.txt"));
    CHECK(loaded.problems[0].line == 4);
    CHECK(loaded.problems[0].column == 3);
    CHECK(loaded.problems[1].line == 5);
    CHECK(loaded.problems.back().text.find("12 more problems") != std::string::npos);
}

TEST_CASE("a hosts_file reads the same wherever its lines fall among the blocks")
{
    const temporary_directory d;
    const auto path = d.write("allowlist.toml", std::string{least} + "[[allow]]\nname = \"a\"\nhosts_file = \"names.txt\"\n");
    for (const std::size_t comment : {0u, 1u, 7u, 100u, 4'000u}) {
        std::string names;
        for (int i = 0; i < 20'000; ++i)
            names += "h" + std::to_string(i) + ".test" + (i % 50 == 0 ? " #" + std::string(comment, 'x') : "") + "\r\n";
        d.write("names.txt", names);
        label_registry labels;
        const auto loaded = load_allowlist(path, labels, now);
        REQUIRE_MESSAGE(loaded.rules, text_of(loaded.problems));
        CHECK(loaded.rules->names().names() == 20'000);
        CHECK(said(*loaded.rules, "h19999.test:443") == verdict::allowed);
    }
}

TEST_CASE("a hosts_file that cannot be a list of names is an error")
{
    const temporary_directory d;
    label_registry labels;
    const auto path = d.write("allowlist.toml", std::string{least} + "[[allow]]\nname = \"a\"\nhosts_file = \"names.txt\"\n");
    const auto complaint = [&] {
        const auto loaded = load_allowlist(path, labels, now);
        CHECK_FALSE(loaded.rules);
        CHECK(loaded.files.size() == 3); // watched all the same: it may come
        return text_of(loaded.problems);
    };
    CHECK(complaint().find(":6:14: error: hosts_file") != std::string::npos);
    d.write("names.txt", "");
    CHECK(complaint().find("names no host") != std::string::npos);
    d.write("names.txt", std::string(100'000, 'a'));
    CHECK(complaint().find("too long") != std::string::npos);
    d.write("names.txt", std::string("a.b\0c\n", 6));
    CHECK(complaint().find("names.txt:1:1") != std::string::npos);
    std::filesystem::remove(d.path("names.txt"));
    std::filesystem::create_directory(d.path("names.txt"));
    CHECK(complaint().find("is a directory") != std::string::npos);
    std::filesystem::remove(d.path("names.txt"));
    REQUIRE(mkfifo(d.path("names.txt").c_str(), 0600) == 0);
    CHECK(complaint().find("not a regular file") != std::string::npos);
}
