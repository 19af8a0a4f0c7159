#include "temporary_directory.hpp"

#include <ops/approvals/signed_list.hpp>
#include <ops/approvals/state_lock.hpp>
#include <ops/policy/verified_file.hpp>
#include <ops/state/state_file.hpp>

using namespace exeat;
using ops::verified_file;

namespace {

constexpr std::size_t most = 1024 * 1024;

std::string read_all(verified_file& f)
{
    std::string out;
    for (auto bytes = f.next(); !bytes || !bytes->empty(); bytes = f.next()) {
        if (!bytes) return "error: " + bytes.error();
        out += *bytes;
    }
    return out;
}

} // namespace

TEST_CASE("a file is handed out only if all of it has the digest")
{
    const temporary_directory d;
    for (const std::size_t size : {0u, 1u, 65'535u, 65'536u, 65'537u, 200'000u}) {
        std::string text(size, 'x');
        for (std::size_t i = 0; i < size; i += 100) text[i] = static_cast<char>('a' + i % 23);
        const auto path = d.write("names.txt", text);
        auto file = verified_file::open(path, most, ops::sha256_of(text));
        REQUIRE(file.has_value());
        CHECK(read_all(*file) == text);
        CHECK(!verified_file::open(path, most, ops::sha256_of(text + "x")));
        d.write("names.txt", text + "x");
        CHECK(!verified_file::open(path, most, ops::sha256_of(text)));
    }
    CHECK(!verified_file::open(d.path("none"), most, ops::sha256_of("")));
}

TEST_CASE("what is changed between its digest and its reading is an error, wherever, and none of it is handed out")
{
    const temporary_directory d;
    const std::string text(200'000, 'x');
    for (const auto at : {0u, 65'535u, 65'536u, 150'000u, 199'999u}) {
        const auto path = d.write("names.txt", text);
        auto file = verified_file::open(path, most, ops::sha256_of(text));
        REQUIRE(file.has_value());
        auto other = text;
        other[at] = 'y';
        d.write("names.txt", other);
        std::string got;
        for (auto bytes = file->next(); bytes && !bytes->empty(); bytes = file->next()) got += *bytes;
        CHECK(got.find('y') == got.npos);
        CHECK(got.size() <= at);
    }
    for (const auto& other : {text + "more", text.substr(0, 199'999), text.substr(0, 131'072), std::string{}}) {
        const auto path = d.write("names.txt", text);
        auto file = verified_file::open(path, most, ops::sha256_of(text));
        REQUIRE(file.has_value());
        d.write("names.txt", other);
        CHECK(read_all(*file).starts_with("error: changed while it was read"));
    }
}

TEST_CASE("one process at a time changes the approvals' state, and one that has ended holds up nobody")
{
    const temporary_directory d;
    for (int i = 0; i < 2; ++i) CHECK(ops::state_lock{d.path("")}.wrong() == "");
    CHECK(ops::state_lock{d.path("nowhere")}.wrong().find("is not there; make it") != std::string::npos);
}

TEST_CASE("who takes a state file over looks at what was left before it writes")
{
    const temporary_directory d;
    const ops::event_log log{ops::log_format::people};
    constexpr ops::state_file::words words{"x", "x", "x", "x"};
    std::string left;
    auto first = std::make_unique<ops::state_file>(ops::state_directory{d.path("")}, words, log);
    first->claim([](bool) { return std::string{"first"}; });
    ops::state_file second{ops::state_directory{d.path("")}, words, log};
    second.claim([&](bool) { return left + " second"; }, [&] { left = *second.read(100); });
    second.begin(std::chrono::seconds{3'600});
    CHECK(!second.keeps());
    first.reset();
    second.stop();
    CHECK(*second.read(100) == "first second");
}
