#include "approved_lab.hpp"

using namespace exeat;
using namespace exeat::testing;
using ops::accepted_policy;
using ops::load_refusal;
using ops::policy_gate;

TEST_CASE("a part that the manifest names and that is taken away keeps the last good list, with what it denies")
{
    approved_lab l;
    l.part("deny.toml", "[[deny]]\nname = \"no\"\nhosts = [\"ok.test\"]\n");
    l.approved(7);
    policy_gate gate{l.settings(2)};
    CHECK(!l.opens(gate, "ok.test:443"));
    std::filesystem::remove(l.d.path("allowlist.d/deny.toml"));
    for (int i = 0; i < 2; ++i) {
        const auto loaded = l.load(gate);
        CHECK(loaded.why == load_refusal::unapproved);
        CHECK(loaded.approvals.from_copy);
        CHECK(said(*loaded.rules, "ok.test:443", now) == verdict::denied_by_rule);
    }
    policy_gate restarted{l.settings(2)};
    CHECK(!l.opens(restarted, "ok.test:443"));
}

TEST_CASE("whatever part is missing, added to or swapped, the last good list stays")
{
    approved_lab l;
    const auto good = entry("part");
    l.part("a.toml", good);
    l.d.write("names.txt", "listed.test\n");
    write_approved(l.d, list(7) + "hosts_file = \"names.txt\"\n", {&l.alice});
    policy_gate gate{l.settings()};
    const auto first = l.load(gate);
    REQUIRE(first.why == load_refusal::none);
    CHECK(first.approvals.copy_stored);
    const auto stays = [&](policy_gate& g) {
        const auto loaded = l.load(g);
        CHECK(loaded.why == load_refusal::unapproved);
        REQUIRE(loaded.rules != nullptr);
        CHECK(loaded.rules->settings().sha256 == first.rules->settings().sha256);
    };
    for (const auto& [file, was] : {std::pair<std::string, std::string>{"allowlist.toml", list(7) + "hosts_file = \"names.txt\"\n"},
                                    {"allowlist.d/a.toml", good},
                                    {"names.txt", "listed.test\n"}}) {
        l.d.write(file, was + "# more\n");
        stays(gate);
        std::filesystem::remove(l.d.path(file));
        stays(gate);
        policy_gate restarted{l.settings()};
        stays(restarted);
        l.d.write(file, was);
        CHECK(l.result(gate) == load_refusal::none);
    }
}

TEST_CASE("a file that the manifest does not name is ignored, told, and never in the way")
{
    approved_lab l;
    l.approved(7);
    l.part("junk.toml", "junk");
    l.part("open.toml", entry("open"));
    policy_gate gate{l.settings(2)};
    const auto loaded = l.load(gate);
    REQUIRE(loaded.why == load_refusal::none);
    REQUIRE(loaded.approvals.ignored.size() == 2);
    CHECK(loaded.approvals.ignored[0].why == ops::ignored_why::unnamed);
    CHECK(loaded.approvals.ignored[0].path == l.d.path("allowlist.d/junk.toml"));
    CHECK(said(*loaded.rules, "open.test:443", now) == verdict::not_allowed);
}

TEST_CASE("a manifest, a grant and a revocation for another audience do not count")
{
    approved_lab l;
    l.d.write("allowlist.toml", list(7));
    write_manifest(l.d, manifest_of_files(l.d, "staging"), {&l.alice, &l.bob});
    policy_gate gate{l.settings()};
    auto loaded = l.load(gate);
    CHECK(loaded.why == load_refusal::unapproved);
    CHECK(first_problem(loaded).find("\"staging\", and [policy] audience here is \"production\"") != std::string::npos);
    l.approved(7);
    auto g = grant_of("g.toml", entry("granted"), 7, std::chrono::hours{1});
    g.audience = "staging";
    write_grant(l.d, entry("granted"), g, {&l.alice});
    write_revocation(l.d, ops::sha256_of(list(7)), now + std::chrono::hours{1}, {&l.alice}, "staging");
    loaded = l.load(gate);
    REQUIRE(loaded.rules != nullptr);
    CHECK(loaded.approvals.ignored.size() == 2);
    CHECK(said(*loaded.rules, "granted.test:443", now) == verdict::not_allowed);
    CHECK(said(*loaded.rules, "ok.test:443", now) == verdict::allowed);
}

TEST_CASE("a grant needs as many approvals, opens for its time, and one that does not load is ignored alone")
{
    approved_lab l;
    l.approved(7);
    policy_gate gate{l.settings(2)};
    const auto text = entry("granted");
    const auto g = grant_of("g.toml", text, 7, std::chrono::hours{1});
    write_grant(l.d, text, g, {&l.alice});
    CHECK(!l.opens(gate, "granted.test:443"));
    CHECK(l.load(gate).approvals.ignored.front().why == ops::ignored_why::waiting);
    write_grant(l.d, text, g, {&l.alice, &l.bob});
    const auto loaded = l.load(gate);
    CHECK(said(*loaded.rules, "granted.test:443", now) == verdict::allowed);
    CHECK(said(*loaded.rules, "granted.test:443", g.not_after) == verdict::expired);
    for (const std::string& bad : {std::string{"junk"}, entry("a"), std::string{"[[deny]]\nname = \"no\"\nhosts = [\"ok.test\"]\n"},
                                   entry("b") + "hosts_file = \"names.txt\"\n"}) {
        write_grant(l.d, bad, grant_of("bad.toml", bad, 7, std::chrono::hours{1}), {&l.alice, &l.bob});
        const auto with_bad = l.load(gate);
        REQUIRE(with_bad.rules != nullptr);
        CHECK(with_bad.why == load_refusal::none);
        CHECK(with_bad.approvals.ignored.size() == 1);
        CHECK(said(*with_bad.rules, "granted.test:443", now) == verdict::allowed);
        CHECK(said(*with_bad.rules, "ok.test:443", now) == verdict::allowed);
    }
}

TEST_CASE("what was revoked stays closed: by one key, over a restart, when it is put back, and when the revocation is removed")
{
    approved_lab l;
    l.approved(7);
    const auto text = entry("granted");
    const auto g = grant_of("g.toml", text, 7, std::chrono::hours{1});
    write_grant(l.d, text, g, {&l.alice, &l.bob});
    policy_gate gate{l.settings(2)};
    REQUIRE(l.opens(gate, "granted.test:443"));
    write_revocation(l.d, g.file.sha256, g.not_after, {&l.bob});
    CHECK(!l.opens(gate, "granted.test:443"));
    std::filesystem::remove_all(l.d.path("allowlist.d"));
    CHECK(!l.opens(gate, "granted.test:443"));
    write_grant(l.d, text, g, {&l.alice, &l.bob});
    policy_gate restarted{l.settings(2)};
    for (auto* each : {&gate, &restarted}) {
        const auto loaded = l.load(*each);
        CHECK(said(*loaded.rules, "granted.test:443", now) == verdict::not_allowed);
        CHECK(loaded.approvals.ignored.front().why == ops::ignored_why::revoked);
        CHECK(loaded.approvals.revoked == 1);
    }
}

TEST_CASE("a revoked part opens nothing and denies what it denied, whatever else is wrong and whatever is expected")
{
    approved_lab l;
    const auto part = entry("part") + "[[deny]]\nname = \"no\"\nhosts = [\"never.test\"]\n";
    l.part("p.toml", part);
    write_approved(l.d,
                   list(7) + "[[allow]]\nname = \"wide\"\nhosts = [\"never.test\"]\n[[expect]]\nclient = \"10.42.1.1\"\ntarget = "
                             "\"part.test:443\"\nverdict = \"allow\"\n",
                   {&l.alice, &l.bob});
    policy_gate gate{l.settings(2)};
    const auto before = l.load(gate);
    REQUIRE(before.why == load_refusal::none);
    l.d.write("allowlist.toml", "half of a li"); // somebody else's bad file
    l.part("junk.toml", "junk");
    write_revocation(l.d, ops::sha256_of(part), now + std::chrono::hours{1}, {&l.alice});
    const auto after = l.load(gate);
    REQUIRE_MESSAGE(after.rules, text_of(after.problems));
    CHECK(after.approvals.from_copy);
    CHECK(said(*after.rules, "part.test:443", now) == verdict::expired);
    CHECK(said(*after.rules, "never.test:443", now) == verdict::denied_by_rule);
    CHECK(said(*after.rules, "ok.test:443", now) == verdict::allowed);
    CHECK(after.rules->settings().sha256 != before.rules->settings().sha256);
}

TEST_CASE("a revocation by nobody who is trusted does nothing")
{
    approved_lab l;
    const auto eve = new_key(l.d, "eve");
    l.approved(7);
    write_revocation(l.d, ops::sha256_of(list(7)), now + std::chrono::hours{1}, {&eve});
    policy_gate gate{l.settings(2)};
    CHECK(l.opens(gate, "ok.test:443"));
    CHECK(l.load(gate).approvals.ignored.front().why == ops::ignored_why::revocation);
}

TEST_CASE("a process that goes on with an older serial cannot write it back")
{
    approved_lab l;
    l.approved(8);
    policy_gate stopped{l.settings()}; // and goes on later
    REQUIRE(l.result(stopped) == load_refusal::none);
    policy_gate other{l.settings()};
    l.approved(9);
    REQUIRE(l.result(other) == load_refusal::none);
    l.approved(8);
    CHECK(l.result(stopped) == load_refusal::rollback);
    ops::accepted_memory memory{l.d.path("state")};
    CHECK(memory.look() == "");
    CHECK(memory.last()->serial == 9);
    CHECK(memory.raise({8, "0"}) != "");
    CHECK(memory.look() == "");
    CHECK(memory.last()->serial == 9);
}

TEST_CASE("what only checks says the same and writes nothing")
{
    approved_lab l;
    l.approved(7);
    policy_gate checks{l.settings(2), policy_gate::use::check};
    CHECK(l.result(checks) == load_refusal::none);
    CHECK(std::filesystem::is_empty(l.d.path("state")));
    l.d.write("allowlist.toml", list(7, "other.test"));
    CHECK(l.load(checks).rules == nullptr);
}

TEST_CASE("a copy is served only if it is what was signed, by enough keys that are trusted now, and not an older one")
{
    approved_lab l;
    l.approved(7);
    {
        policy_gate gate{l.settings()};
        REQUIRE(l.result(gate) == load_refusal::none);
    }
    std::filesystem::remove(l.d.path("allowlist.toml.manifest"));
    const auto served = [&](const exeat::config& c) {
        policy_gate gate{c};
        return l.load(gate).rules != nullptr;
    };
    CHECK(served(l.settings()));
    auto other = l.settings();
    other.audience = "staging";
    CHECK(!served(other));
    const auto stored = l.d.path("state/approved/" + ops::sha256_of(list(7)));
    REQUIRE(std::filesystem::exists(stored));
    l.d.write("state/approved/" + ops::sha256_of(list(7)), list(7, "evil.test"));
    CHECK(!served(l.settings()));
    l.d.write("state/approved/" + ops::sha256_of(list(7)), list(7));
    CHECK(served(l.settings()));
    l.d.write("state/policy.json", accepted_policy{8, "0"}.to_json());
    CHECK(!served(l.settings()));
}

TEST_CASE("signatures of the former scheme are told what takes their place")
{
    approved_lab l;
    l.d.write("allowlist.toml", list(7));
    l.d.write("allowlist.toml.sig", "exeat allowlist approval v1\n");
    policy_gate gate{l.settings()};
    CHECK(first_problem(l.load(gate)).find("no longer count: 'exeat sign --audience NAME") != std::string::npos);
}
