#include "approving.hpp"

#include <exeat/limits.hpp>

#include <algorithm>
#include <fmt/format.h>

using namespace exeat;
using namespace exeat::testing;
using ops::approval_rules;
using ops::check_approvals;
using ops::read_signatures;
using ops::signed_statement;

namespace {

constexpr std::string_view digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

signed_statement statement(std::uint64_t serial = 42)
{
    return {{ops::approval_subject::allowlist, serial, std::string{digest}, {{std::string{digest}, "long names.txt"}}}, {}};
}

std::string refusal(const signed_statement& s, const approval_rules& rules)
{
    const auto by = check_approvals(s, rules);
    return by ? std::string{} : by.error();
}

std::string misread(std::string_view text)
{
    const auto s = read_signatures(text);
    return s ? std::string{} : s.error();
}

std::string swapped(std::string text, std::string_view from, std::string_view to)
{
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("an approval is read back as it was written")
{
    const temporary_directory d;
    const auto alice = new_key(d, "alice"), bob = new_key(d, "bob");
    auto s = statement();
    approve(s, alice);
    approve(s, bob);
    const auto back = read_signatures(s.to_text());
    REQUIRE(back.has_value());
    CHECK(back->what == s.what);
    CHECK(back->to_text() == s.to_text());
    const auto by = check_approvals(*back, {{alice.known, bob.known}, 2});
    REQUIRE(by.has_value());
    CHECK(*by == std::vector{alice.known.id(), bob.known.id()});
}

TEST_CASE("no byte of an approval can be changed: it is not read, or it approves something else, or it counts for nothing")
{
    const temporary_directory d;
    const auto alice = new_key(d, "alice");
    auto s = statement();
    approve(s, alice);
    const auto text = s.to_text();
    const approval_rules rules{{alice.known}, 1};
    for (std::size_t at = 0; at < text.size(); ++at)
        for (const char to : {'\0', ' ', '\n', '0', 'A', 'f', static_cast<char>(text[at] ^ 1), static_cast<char>(text[at] ^ 0x80)}) {
            if (to == text[at]) continue;
            auto other = text;
            other[at] = to;
            const auto read = read_signatures(other);
            CHECK_MESSAGE((!read || !check_approvals(*read, rules)), "byte " << at << " as " << static_cast<int>(to));
        }
}

TEST_CASE("an approval cut short or with more behind it is not read")
{
    const temporary_directory d;
    const auto alice = new_key(d, "alice");
    auto s = statement();
    approve(s, alice);
    const auto text = s.to_text();
    const approval_rules rules{{alice.known}, 1};
    for (std::size_t size = 0; size < text.size(); ++size) {
        const auto read = read_signatures(std::string_view{text}.substr(0, size));
        CHECK_MESSAGE((!read || !check_approvals(*read, rules)), "the first " << size);
    }
    CHECK(misread(text + "\n") != "");
    CHECK(misread(text + "x") != "");
    CHECK(misread(text + "signed\n") != "");
}

TEST_CASE("so many different trusted keys must have signed, and one fewer is too few")
{
    const temporary_directory d;
    const auto alice = new_key(d, "alice"), bob = new_key(d, "bob"), eve = new_key(d, "eve");
    auto s = statement();
    approve(s, alice);
    CHECK(refusal(s, {{alice.known, bob.known}, 1}) == "");
    CHECK(refusal(s, {{alice.known, bob.known}, 2}).starts_with("1 of 2 approvals"));
    approve(s, eve);
    CHECK_MESSAGE(refusal(s, {{alice.known, bob.known}, 2}).starts_with("1 of 2 approvals"), "a key that nobody trusts counts for nothing");
    approve(s, bob);
    CHECK(refusal(s, {{alice.known, bob.known}, 2}) == "");
}

TEST_CASE("one key that signs twice is refused, however many are needed")
{
    const temporary_directory d;
    const auto alice = new_key(d, "alice"), bob = new_key(d, "bob");
    auto s = statement();
    approve(s, alice);
    approve(s, alice);
    CHECK(refusal(s, {{alice.known, bob.known}, 2}) == alice.known.id() + " has signed twice; remove one");
    CHECK(refusal(s, {{alice.known, bob.known}, 1}) == alice.known.id() + " has signed twice; remove one");
}

TEST_CASE("another's signature under a trusted key's name does not hold")
{
    const temporary_directory d;
    const auto alice = new_key(d, "alice"), eve = new_key(d, "eve");
    auto s = statement();
    approve(s, eve);
    s.by.front().key = alice.known.id();
    CHECK(refusal(s, {{alice.known}, 1}) == "the signature of " + alice.known.id() + " does not hold; sign again");
}

TEST_CASE("a signature under one serial does not hold under another")
{
    const temporary_directory d;
    const auto alice = new_key(d, "alice");
    auto s = statement(42);
    approve(s, alice);
    s.what.serial = 43;
    CHECK(refusal(s, {{alice.known}, 1}) != "");
}

TEST_CASE("a signature of a grant does not hold for an allowlist, nor the other way round")
{
    const temporary_directory d;
    const auto alice = new_key(d, "alice");
    for (const auto about : {ops::approval_subject::allowlist, ops::approval_subject::grant}) {
        auto s = statement();
        s.what.about = about;
        approve(s, alice);
        CHECK(read_signatures(s.to_text())->what == s.what);
        s.what.about = about == ops::approval_subject::grant ? ops::approval_subject::allowlist : ops::approval_subject::grant;
        CHECK(refusal(s, {{alice.known}, 1}) != "");
    }
}

TEST_CASE("what is no approval is told by its line")
{
    auto s = statement();
    const auto text = s.to_text();
    CHECK(misread("") == "line 1 must be 'exeat allowlist approval v1' or 'exeat grant approval v1'");
    CHECK(misread(swapped(text, "approval v1", "approval v2")) ==
          "line 1 must be 'exeat allowlist approval v1' or 'exeat grant approval v1'");
    CHECK(misread(swapped(text, "serial 42", "serial 042")) == "line 2 must be 'serial N'");
    CHECK(misread(swapped(text, "serial 42", "serial -1")) == "line 2 must be 'serial N'");
    CHECK(misread(swapped(text, "serial 42", "serial 18446744073709551616")) == "line 2 must be 'serial N'");
    CHECK(misread(swapped(text, "allowlist 0", "allowlist 0A")) == "line 3 must be 'allowlist SHA-256'");
    CHECK(misread(swapped(text, "allowlist 0123", "allowlist X123")) == "line 3 must be 'allowlist SHA-256'");
    CHECK(misread(swapped(text, " long names.txt", "")) == "line 4 must be 'hosts_file SHA-256 NAME'");
    CHECK(misread(swapped(text, "\n\n", "\r\n\r\n")) != "");
    CHECK(misread(text + "signed 0123456789abcdef AAAA\n") == "line 6 must be 'signed KEY-ID SIGNATURE'");
    CHECK(misread(text + "signed xyz " + std::string(88, 'A') + "\n") == "line 6 must be 'signed KEY-ID SIGNATURE'");
}

TEST_CASE("as many signatures as may stand in a file are read, and one more is not")
{
    const temporary_directory d;
    const auto alice = new_key(d, "alice");
    auto s = statement();
    approve(s, alice);
    s.by.resize(limits::signatures, s.by.front());
    CHECK(misread(s.to_text()) == "");
    s.by.push_back(s.by.front());
    CHECK(misread(s.to_text()) == fmt::format("there are more than {} signatures", limits::signatures));
}
