#include "approving.hpp"

#include <exeat/limits.hpp>
#include <ops/approvals/revoked_memory.hpp>

#include <algorithm>
#include <fmt/format.h>

using namespace exeat;
using namespace exeat::testing;
using ops::approval_rules;
using ops::audience_objection;
using ops::read_grant;
using ops::read_manifest;
using ops::read_revocation;
using ops::read_signed;
using ops::signed_text;

namespace {

const std::string digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
constexpr wall_time until = approved_at + std::chrono::hours{24};

ops::manifest small_manifest(std::uint64_t serial = 42)
{
    ops::manifest m;
    m.audience = "production";
    m.serial = serial;
    m.list = {digest, "allowlist.toml"};
    m.parts = {{digest, "allowlist.d/a.toml"}, {digest, "allowlist.d/b.toml"}};
    m.hosts_files = {{digest, "long names.txt"}};
    m.revoked = {{digest, until}};
    return m;
}

signed_text statement(std::uint64_t serial = 42) { return {{}, small_manifest(serial).to_text()}; }

std::string refusal(const signed_text& s, const approval_rules& rules)
{
    const auto by = check_approvals(s, rules, rules.needed);
    return by ? std::string{} : by.error();
}

std::string misread(std::string_view text)
{
    const auto s = read_signed(text);
    if (!s) return s.error();
    const auto m = read_manifest(s->statement);
    return m ? std::string{} : m.error();
}

bool counts(std::string_view text, const approval_rules& rules)
{
    const auto s = read_signed(text);
    return s && read_manifest(s->statement) && check_approvals(*s, rules, rules.needed);
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
    const auto back = read_signed(s.to_text());
    REQUIRE(back.has_value());
    CHECK(*read_manifest(back->statement) == small_manifest());
    CHECK(back->to_text() == s.to_text());
    const auto by = check_approvals(*back, {{alice.known, bob.known}, 2}, 2);
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
    REQUIRE(counts(text, rules));
    for (std::size_t at = 0; at < text.size(); ++at)
        for (const char to : {'\0', ' ', '\n', '0', 'A', 'f', static_cast<char>(text[at] ^ 1), static_cast<char>(text[at] ^ 0x80)}) {
            if (to == text[at]) continue;
            auto other = text;
            other[at] = to;
            CHECK_MESSAGE(!counts(other, rules), "byte " << at << " as " << static_cast<int>(to));
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
    for (std::size_t size = 0; size < text.size(); ++size) CHECK_MESSAGE(!counts(text.substr(0, size), rules), "the first " << size);
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
    CHECK(refusal(s, {{alice.known, bob.known}, 2}).starts_with("signed by 1 of the 2"));
    approve(s, eve);
    CHECK_MESSAGE(refusal(s, {{alice.known, bob.known}, 2}).starts_with("signed by 1 of the 2"),
                  "a key that nobody trusts counts for nothing");
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
    s.statement = small_manifest(43).to_text();
    CHECK(refusal(s, {{alice.known}, 1}) != "");
}

TEST_CASE("no statement stands for one of another kind")
{
    const auto grant = grant_of("a.toml", "text", 1, std::chrono::hours{1}).to_text();
    ops::revocation r;
    r.audience = "production", r.what = {digest, until}, r.reason = "why";
    CHECK(read_manifest(small_manifest().to_text()).has_value());
    CHECK(read_grant(grant).has_value());
    CHECK(*read_revocation(r.to_text()) == r);
    for (const auto& other : {grant, r.to_text()}) CHECK(!read_manifest(other));
    for (const auto& other : {small_manifest().to_text(), r.to_text()}) CHECK(!read_grant(other));
    for (const auto& other : {small_manifest().to_text(), grant}) CHECK(!read_revocation(other));
}

TEST_CASE("a statement for another audience does not count, and says for which one it is")
{
    CHECK(audience_objection("production", {{}, 1, "production"}) == "");
    CHECK(audience_objection("staging", {{}, 1, "production"}).find("\"staging\"") != std::string::npos);
}

TEST_CASE("what is no manifest is told by its line")
{
    const auto text = statement().to_text();
    CHECK(misread("") == "has no empty line between the statement and its signatures");
    CHECK(misread("\n\n") == "line 1 must be 'exeat policy manifest v1'");
    const auto wrong = [&](std::string_view from, std::string_view to) { return misread(swapped(text, from, to)); };
    CHECK(wrong("manifest v1", "manifest v2") == "line 1 must be 'exeat policy manifest v1'");
    for (const auto* name : {"Production", "a b", "", "\x7f", "a/b"})
        CHECK(wrong("audience production", fmt::format("audience {}", name)) == "line 2 must be 'audience NAME'");
    for (const auto* serial : {"042", "-1", "18446744073709551616", "", "4 2", "+4"})
        CHECK(wrong("serial 42", fmt::format("serial {}", serial)) == "line 3 must be 'serial N'");
    CHECK(wrong("list 0123", "list X123") == "line 4 must be 'list SHA-256 NAME'");
    CHECK(wrong("list 0", "list 0A") == "line 4 must be 'list SHA-256 NAME'");
    for (const auto* name : {"/a.toml", "../a.toml", "a/b.toml", ".", "..", "./a.toml", "a.toml/"})
        CHECK(wrong("allowlist.toml", name) == "line 4 must be 'list SHA-256 NAME'");
    for (const auto* name :
         {"/a.toml", "allowlist.d//a.toml", "allowlist.d/./a.toml", "a\x01.toml", "allowlist.d/c.toml", "allowlist.d/b.toml"})
        CHECK(wrong("allowlist.d/a.toml", name).find("must be 'part SHA-256 NAME', by name, each once") != std::string::npos);
    CHECK(wrong(" long names.txt", "") == "line 7 must be 'hosts_file SHA-256 NAME', by name, each once");
    for (const auto* end : {"2026-06-02T00:00:00", "2026-06-02", "never", "2026-06-02T00:00:00.0Z", "2026-13-02T00:00:00Z"})
        CHECK(wrong("2026-06-02T00:00:00Z", end) == "line 8 must be 'revoked SHA-256 2026-12-24T00:00:00Z', ascending, each once");
    CHECK(wrong("\n\n", "\nmore\n\n") == "line 9 must be 'part', 'hosts_file', 'revoked' or the empty line before the signatures");
    CHECK(wrong("\n\n", "\r\n\r\n") != "");
    CHECK(misread(text + "signed 0123456789abcdef AAAA\n") == "line 10 must be 'signed KEY-ID SIGNATURE'");
    CHECK(misread(text + "signed xyz " + std::string(88, 'A') + "\n") == "line 10 must be 'signed KEY-ID SIGNATURE'");
}

TEST_CASE("what is no grant and no revocation is told by its line")
{
    const auto grant = grant_of("a.toml", "text", 42, std::chrono::hours{1}).to_text();
    const auto bad_grant = [&](std::string_view from, std::string_view to) { return read_grant(swapped(grant, from, to)).error(); };
    CHECK(bad_grant("base 42", "base x") == "line 3 must be 'base SERIAL'");
    CHECK(bad_grant("made 2026", "made x") == "line 4 must be 'made 2026-12-24T00:00:00Z'");
    CHECK(bad_grant("not_after", "not_before") == "line 5 must be 'not_after 2026-12-24T00:00:00Z'");
    CHECK(bad_grant(" a.toml", " b/a.toml") == "line 6 must be 'file SHA-256 NAME'");
    CHECK(read_grant(grant + "more\n").error() == "line 7 must be the empty line before the signatures");
    ops::revocation r;
    r.audience = "production", r.what = {digest, until}, r.reason = "why";
    const auto bad = [&](std::string_view from, std::string_view to) { return read_revocation(swapped(r.to_text(), from, to)).error(); };
    CHECK(bad("revoked 0", "revoked g") == "line 3 must be 'revoked SHA-256 2026-12-24T00:00:00Z'");
    CHECK(bad("reason why", "reason ") == "line 4 must be 'reason TEXT'");
    CHECK(bad("reason why", "reason \x1b[2J") == "line 4 must be 'reason TEXT'");
    CHECK(read_revocation(r.to_text() + "more\n").error() == "line 5 must be the empty line before the signatures");
}

TEST_CASE("a grant holds so long and no second longer, from when it was made, for its policy and later ones")
{
    using namespace std::chrono_literals;
    const auto said = [](std::uint64_t base, std::chrono::seconds lasts, std::uint64_t serial, wall_time now = approved_at) {
        return grant_objection(grant_of("a.toml", "", base, lasts), serial, limits::grant_for, now);
    };
    CHECK(said(42, limits::grant_for, 42) == "");
    CHECK(said(42, limits::grant_for, 43) == "");
    CHECK(said(42, limits::grant_for + 1s, 42).find("holds longer than 24 hours") != std::string::npos);
    CHECK(said(43, 1h, 42).find("for the policy of serial 43") != std::string::npos);
    CHECK(said(42, 0s, 42).find("ends before") != std::string::npos);
    CHECK(said(42, 1h, 42, approved_at - limits::grant_skew) == "");
    CHECK(said(42, 1h, 42, approved_at - limits::grant_skew - 1s).find("still to come") != std::string::npos);
}

TEST_CASE("as many digests as may be revoked are read, and one more is not")
{
    auto m = small_manifest();
    m.revoked.clear();
    for (std::size_t i = 0; i < limits::revoked_digests; ++i) m.revoked.push_back({fmt::format("{:064x}", i), until});
    CHECK(read_manifest(m.to_text()).has_value());
    CHECK(ops::read_revoked_memory(ops::revoked_memory_text(m.revoked))->size() == limits::revoked_digests);
    m.revoked.push_back({fmt::format("{:064x}", limits::revoked_digests), until});
    CHECK(!read_manifest(m.to_text()));
    CHECK(!ops::read_revoked_memory(ops::revoked_memory_text(m.revoked)));
}

TEST_CASE("a memory that is full forgets nobody, and until there is room everything counts as revoked")
{
    const temporary_directory d;
    ops::revoked_memory m{d.path("")};
    const std::string first(64, 'a');
    CHECK(m.add({{first, until - std::chrono::hours{1}}})); // ends before all others
    std::vector<ops::revoked_digest> more;
    for (std::size_t i = 0; i < limits::revoked_digests; ++i) more.push_back({fmt::format("{:064x}", i), until});
    CHECK_FALSE(m.add(more));
    CHECK(m.keep(std::nullopt).empty());
    CHECK(m.holds(first, until - std::chrono::hours{2}));
    CHECK(m.all().size() == limits::revoked_digests);
    const auto unknown = more.back().sha256;
    CHECK_FALSE(m.holds(unknown, until - std::chrono::hours{2}));
    m.full(true);
    CHECK(m.holds(unknown, until - std::chrono::hours{2}));
}

TEST_CASE("a name of an environment has so many octets and no more")
{
    CHECK(ops::is_audience(std::string(limits::audience_octets, 'a')));
    CHECK(!ops::is_audience(std::string(limits::audience_octets + 1, 'a')));
    CHECK(!ops::is_audience(""));
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
