#include "temporary_directory.hpp"

#include <ops/files/watched_file.hpp>

#include <doctest/doctest.h>
#include <filesystem>

using namespace exeat::ops;

TEST_CASE("a file is changed by every way to change it since it was looked at, and by nothing else")
{
    const temporary_directory d;
    const auto path = d.write("list.toml", "one");
    watched_file f{path};
    CHECK_FALSE(f.changed());
    d.write("list.toml", "more");
    CHECK(f.changed());
    f = watched_file{path};
    std::filesystem::rename(d.write("other.toml", "more"), path);
    CHECK(f.changed());
    f = watched_file{path};
    std::filesystem::remove(path);
    CHECK(f.changed());
}

TEST_CASE("a file that is not there changes by coming")
{
    const temporary_directory d;
    const watched_file f{d.path("list.toml")};
    CHECK_FALSE(f.changed());
    d.write("list.toml", "");
    CHECK(f.changed());
}

TEST_CASE("what came to nothing counts as changed until it is looked at again")
{
    const temporary_directory d;
    const auto path = d.write("list.toml", "one");
    watched_file f{path};
    f.forget();
    CHECK(f.changed());
    f = watched_file{path};
    CHECK_FALSE(f.changed());
}
