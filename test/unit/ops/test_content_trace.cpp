#include "temporary_directory.hpp"

#include <ops/files/watched_file.hpp>

#include <doctest/doctest.h>
#include <random>

using namespace exeat::ops;

namespace {

content_trace trace(std::string_view text, std::size_t step = 4'096)
{
    content_trace out;
    for (; !text.empty(); text.remove_prefix(std::min(step, text.size()))) out.take(text.substr(0, step));
    return out;
}

std::string random_text(std::size_t octets)
{
    std::mt19937 random{octets};
    std::string out(octets, '\0');
    for (char& c : out) c = static_cast<char>('a' + random() % 26);
    return out;
}

} // namespace

TEST_CASE("a text begins a longer one exactly when it is its prefix")
{
    const auto text = random_text(1'000);
    for (const std::size_t n : {0u, 1u, 500u, 999u}) CHECK(trace(text.substr(0, n)).begins(trace(text)));
    CHECK_FALSE(trace(text).begins(trace(text)));
    CHECK_FALSE(trace(text).begins(trace(text.substr(0, 999))));
    for (const std::size_t at : {0u, 250u, 498u}) {
        auto other = text.substr(0, 499);
        other[at] = '#';
        CHECK_FALSE(trace(other).begins(trace(text)));
    }
}

TEST_CASE("of a long text every whole block is compared, however it was read")
{
    const auto text = random_text(300'000);
    for (const std::size_t n : {65'535u, 65'536u, 65'537u, 69'632u, 100'000u, 299'999u})
        for (const std::size_t step : {1'000u, 4'096u, 70'000u}) CHECK(trace(text.substr(0, n), step).begins(trace(text)));
    CHECK(trace(text, 1'000) == trace(text, 65'536));
    for (const std::size_t at : {0u, 65'535u, 65'536u, 69'631u, 94'207u}) { // the last is of the last whole block of 100,000
        auto other = text.substr(0, 100'000);
        other[at] = '#';
        CHECK_FALSE(trace(other).begins(trace(text)));
        CHECK_FALSE(trace(other) == trace(text.substr(0, 100'000)));
    }
}

TEST_CASE("only what was written in place is shortened, and not what took its place")
{
    const temporary_directory d;
    const auto read = [](const std::string& path, std::string_view text) {
        watched_file f{path};
        f.content = std::make_shared<const content_trace>(trace(text));
        return f;
    };
    const auto before = read(d.write("list.toml", "one two three"), "one two three");
    CHECK(read(d.write("list.toml", "one two"), "one two").shortened(before));
    CHECK_FALSE(read(d.write("list.toml", "one 2"), "one 2").shortened(before));
    CHECK_FALSE(watched_file{d.path("list.toml")}.shortened(before)); // was not read
    std::filesystem::rename(d.write("new.toml", "one two"), d.path("list.toml"));
    CHECK_FALSE(read(d.path("list.toml"), "one two").shortened(before));
    watched_file renamed{d.path("list.toml")};
    CHECK_FALSE(renamed.replaced());
    d.write("list.toml", "more");
    CHECK_FALSE(renamed.replaced());
    std::filesystem::rename(d.write("new.toml", "more"), d.path("list.toml"));
    CHECK(renamed.replaced());
}
