#include <exeat/limits.hpp>
#include <ops/process/inherited_sockets.hpp>

#include <doctest/doctest.h>
#include <stdexcept>

using namespace exeat;
using ops::socket_names;

TEST_CASE("so many sockets may be passed, and each has a name")
{
    const auto names = [](std::size_t n) {
        std::string out = "a";
        for (std::size_t i = 1; i < n; ++i) out += ":a";
        return out;
    };
    const auto most = limits::inherited_sockets;
    CHECK(socket_names(std::to_string(most), names(most)).size() == most);
    CHECK_THROWS_AS(socket_names(std::to_string(most + 1), names(most + 1)), std::runtime_error);
    CHECK(socket_names("2", "proxy:admin") == std::vector<std::string>{"proxy", "admin"});
    CHECK(socket_names("0", "").empty());
    for (const auto& [count, text] :
         {std::pair{"1", ""}, {"2", "a"}, {"1", "a:b"}, {"2", "a:"}, {"2", ":a"}, {"x", "a"}, {"", "a"}, {"-1", "a"}})
        CHECK_THROWS_AS(socket_names(count, text), std::runtime_error);
}
