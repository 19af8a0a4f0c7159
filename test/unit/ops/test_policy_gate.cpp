#include "approved_lab.hpp"

#include <stdexcept>

using namespace exeat;
using namespace exeat::testing;
using ops::accepted_policy;
using ops::load_refusal;
using ops::policy_gate;
using ops::read_accepted;

TEST_CASE("an approved list loads and names who approved it")
{
    approved_lab l;
    policy_gate gate{l.settings(2)};
    l.approved(7);
    const auto loaded = l.load(gate);
    REQUIRE(loaded.rules != nullptr);
    CHECK(loaded.rules->settings().approved_by == std::vector{l.alice.known.id(), l.bob.known.id()});
}

TEST_CASE("a list without approvals is not even parsed")
{
    approved_lab l;
    policy_gate gate{l.settings()};
    l.d.write("allowlist.toml", "this is no TOML at all");
    const auto loaded = l.load(gate);
    CHECK(loaded.why == load_refusal::unapproved);
    CHECK(loaded.problems.size() == 1);
    CHECK(first_problem(loaded).find("allowlist.toml.manifest") != std::string::npos);
    CHECK(first_problem(loaded).find("must be approved") != std::string::npos);
}

TEST_CASE("no byte of an approved list can be changed")
{
    approved_lab l;
    policy_gate gate{l.settings()};
    const auto text = list(7);
    write_approved(l.d, text, {&l.alice});
    REQUIRE(l.result(gate) == load_refusal::none);
    std::filesystem::remove_all(l.d.path("state/approved")); // which would stand in
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto other = text;
        other[at] = static_cast<char>(other[at] ^ 1);
        l.d.write("allowlist.toml", other);
        CHECK_MESSAGE(l.result(gate) == load_refusal::unapproved, "byte " << at);
    }
    l.d.write("allowlist.toml", text + "\n");
    CHECK(l.result(gate) == load_refusal::unapproved);
}

TEST_CASE("a hosts_file is approved with its list: another content or another file in its place is refused")
{
    approved_lab l;
    policy_gate gate{l.settings()};
    const auto text = list(7) + "hosts_file = \"names.txt\"\n", other_file = list(8) + "hosts_file = \"other.txt\"\n";
    l.d.write("names.txt", "one.test\n");
    l.d.write("other.txt", "one.test\n");
    write_approved(l.d, text, {&l.alice});
    CHECK(l.result(gate) == load_refusal::none);
    l.d.write("names.txt", "one.test\ntwo.test\n");
    CHECK(l.result(gate) == load_refusal::unapproved);
    l.d.write("names.txt", "one.test\n");
    CHECK(l.result(gate) == load_refusal::none);
    l.d.write("allowlist.toml", other_file);
    CHECK(l.result(gate) == load_refusal::unapproved);
}

TEST_CASE("an approved list must say when it ends")
{
    approved_lab l;
    policy_gate gate{l.settings()};
    auto text = list(7);
    text.erase(text.find("expires"), std::string_view{"expires = 2027-01-01T00:00:00Z\n"}.size());
    write_approved(l.d, text, {&l.alice});
    const auto loaded = l.load(gate);
    CHECK(loaded.why == load_refusal::unapproved);
    CHECK(text_of(loaded.problems).find("expires = ") != std::string::npos);
}

TEST_CASE("an older list does not come back, by reload or by restart, however well it is signed")
{
    approved_lab l;
    {
        policy_gate gate{l.settings()};
        l.approved(8);
        REQUIRE(l.result(gate) == load_refusal::none);
        l.approved(7);
        CHECK(l.result(gate) == load_refusal::rollback);
    }
    policy_gate again{l.settings()};
    CHECK(l.result(again) == load_refusal::rollback);
    l.approved(8, "other.test");
    CHECK_MESSAGE(l.result(again) == load_refusal::rollback, "one serial, two contents");
    l.approved(8);
    CHECK(l.result(again) == load_refusal::none);
    l.approved(9);
    CHECK(l.result(again) == load_refusal::none);
}

TEST_CASE("a serial may be so much beyond the last, and one more is refused and not remembered")
{
    approved_lab l;
    policy_gate gate{l.settings()};
    l.approved(7);
    REQUIRE(l.result(gate) == load_refusal::none);
    l.approved(7 + limits::serial_jump + 1);
    CHECK(l.result(gate) == load_refusal::rollback);
    l.approved(7 + limits::serial_jump);
    CHECK(l.result(gate) == load_refusal::none);
}

TEST_CASE("a list whose serial cannot be remembered does not take effect")
{
    approved_lab l;
    auto c = l.settings();
    c.state = l.d.path("nowhere");
    policy_gate gate{c};
    l.approved(7);
    const auto loaded = l.load(gate);
    CHECK(loaded.rules == nullptr);
    CHECK(text_of(loaded.problems).find("is not there; make it") != std::string::npos);
}

TEST_CASE("a damaged memory of serials stops the start and says what to do")
{
    const approved_lab l;
    const auto c = l.settings();
    for (const std::string_view text :
         {"", "{", "{}", "[]", R"({"exeat":"accepted policy v2","serial":-1,"sha256":""})", R"({"exeat":"x","serial":1,"sha256":""})"}) {
        l.d.write("state/policy.json", text);
        CHECK_THROWS_WITH_AS(policy_gate{c}, doctest::Contains("is damaged"), std::runtime_error);
    }
    l.d.write("state/policy.json", std::string(limits::state_file_bytes + 1, ' '));
    CHECK_THROWS_AS(policy_gate{c}, std::runtime_error);
    const accepted_policy kept{7, "abc"};
    CHECK(read_accepted(kept.to_json())->serial == 7);
}

TEST_CASE("one key under two names is one key")
{
    const approved_lab l;
    auto c = l.settings();
    l.d.write("bob.pub", l.alice.secret.public_pem());
    CHECK_THROWS_WITH_AS(policy_gate{c}, doctest::Contains("are one key"), std::runtime_error);
}

TEST_CASE("without trusted keys every valid list passes and no serial is remembered")
{
    approved_lab l;
    auto c = l.settings();
    c.trusted_keys.clear();
    c.approvals = 0;
    c.audience.clear();
    policy_gate gate{c};
    for (const std::uint64_t serial : {8, 7}) {
        l.d.write("allowlist.toml", list(serial));
        CHECK(l.result(gate) == load_refusal::none);
    }
    CHECK(!std::filesystem::exists(l.d.path("state/policy.json")));
}
