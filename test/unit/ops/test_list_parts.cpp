#include "small_allowlist.hpp"

#include <ops/policy/part_files.hpp>

#include <filesystem>
#include <fmt/format.h>

using namespace exeat;
using namespace exeat::testing;

namespace {

std::string listed(std::string_view name, std::string_view head = "")
{
    return fmt::format("{}[[allow]]\nname = \"{}\"\nhosts = [\"{}.test\"]\n", head, name, name);
}

struct directory {
    temporary_directory d;
    ops::label_registry labels;
    directory()
    {
        std::filesystem::create_directory(d.path("allowlist.d"));
        d.write("allowlist.toml", std::string{least} + std::string{entry});
    }
    ops::loaded_allowlist load() { return load_allowlist(d.path("allowlist.toml"), labels, now); }
};

} // namespace

TEST_CASE("all files are one policy, and each of them is in its digest")
{
    directory of;
    const auto alone = of.load();
    of.d.write("allowlist.d/b.toml", listed("b"));
    const auto two = of.load();
    of.d.write("allowlist.d/c.toml", listed("c"));
    const auto three = of.load();
    REQUIRE(three.rules != nullptr);
    for (const auto* host : {"ok.test:443", "b.test:443", "c.test:443"}) CHECK(said(*three.rules, host) == verdict::allowed);
    CHECK(said(*two.rules, "c.test:443") == verdict::not_allowed);
    CHECK(alone.rules->settings().sha256 != two.rules->settings().sha256);
    CHECK(two.rules->settings().sha256 != three.rules->settings().sha256);
    CHECK(three.rules->rules()[2].file == of.d.path("allowlist.d/c.toml"));
}

TEST_CASE("a file's end ends its entries, and no entry of it lasts longer")
{
    directory of;
    of.d.write("allowlist.d/b.toml", listed("b", "expires = 2026-06-01T00:00:01Z\n") + "expires = 2026-07-01T00:00:00Z\n");
    const auto loaded = of.load();
    REQUIRE(loaded.rules != nullptr);
    CHECK(loaded.rules->rules()[1].expires == now + std::chrono::seconds{1});
}

TEST_CASE("as many files may be in allowlist.d, and with one more nothing is loaded")
{
    directory of;
    for (std::size_t i = 0; i < limits::list_parts; ++i) of.d.write(fmt::format("allowlist.d/{}.toml", i), listed(fmt::format("p{}", i)));
    CHECK(of.load().rules != nullptr);
    of.d.write("allowlist.d/more.toml", listed("more"));
    const auto loaded = of.load();
    CHECK(loaded.rules == nullptr);
    CHECK(text_of(loaded.problems).find(fmt::format("more than {} files", limits::list_parts)) != std::string::npos);
}

TEST_CASE("a file of allowlist.d may be so large and no larger")
{
    directory of;
    const auto text = listed("b");
    of.d.write("allowlist.d/b.toml", text + std::string(limits::list_part_bytes - text.size(), '\n'));
    CHECK(of.load().rules != nullptr);
    of.d.write("allowlist.d/b.toml", text + std::string(limits::list_part_bytes - text.size() + 1, '\n'));
    CHECK(of.load().rules == nullptr);
}

TEST_CASE("as many entries as may be in all files are taken, and one more is not")
{
    directory of;
    std::string many{least};
    for (std::size_t i = 0; i < limits::rules - 1; ++i) many += listed(fmt::format("r{}", i));
    of.d.write("allowlist.toml", many);
    of.d.write("allowlist.d/b.toml", listed("b"));
    CHECK(of.load().rules != nullptr);
    of.d.write("allowlist.d/c.toml", listed("c"));
    CHECK(text_of(of.load().problems).find(fmt::format("more than {} entries in all files", limits::rules)) != std::string::npos);
}

TEST_CASE("a directory that cannot be read refuses the whole")
{
    const temporary_directory d;
    label_registry labels;
    const auto path = d.write("allowlist.toml", std::string{least} + std::string{entry});
    d.write("allowlist.d", "a file, no directory");
    CHECK(load_allowlist(path, labels, now).rules == nullptr);
}
