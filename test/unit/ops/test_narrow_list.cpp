#include "../core/random_policy.hpp"
#include "logged_lines.hpp"
#include "temporary_directory.hpp"

#include <ops/offline/narrow_toml.hpp>
#include <ops/offline/unused_entries.hpp>
#include <ops/policy/load_allowlist.hpp>

#include <algorithm>

using namespace exeat;
using namespace exeat::testing;
using ops::observed_use;

namespace {

constexpr std::array<std::string_view, 3> group_names{"training", "eval", "web"};

ip_address address_of(std::size_t group) { return ip_address::v4(0x0a2a0001 + static_cast<std::uint32_t>(group << 8)); } // 10.42.g.1

client client_of(std::size_t group)
{
    client c{address_of(group), 0, {}};
    c.groups.set(group);
    return c;
}

// As the log tells of a request that this entry served.
ops::logged_event served_by(const rule& by, std::size_t group, const target& to)
{
    ops::logged_event e;
    e.action = ops::logged_event::what::close;
    e.at = morning;
    e.source = address_of(group);
    e.group = group_names[group];
    e.rule = by.name;
    e.via = to.via;
    e.as = by.protocol;
    e.host = to.host;
    e.port = to.port;
    e.peer = by.kind == rule_kind::private_link ? ip_address::v4(0x0a140804) : ip_address::v4(0x08080808);
    e.upload = 100;
    return e;
}

ops::logged_event refused_event(std::string_view host, verdict said = verdict::not_allowed)
{
    ops::logged_event e;
    e.action = ops::logged_event::what::deny;
    e.source = address_of(0);
    e.group = "training";
    e.verdict = said;
    e.host = *hostname::parse(host);
    e.port = 443;
    return e;
}

std::shared_ptr<const policy> loaded(const std::string& text)
{
    const temporary_directory d;
    ops::label_registry labels;
    const auto list = ops::load_allowlist(d.write("narrow.toml", text), labels, now);
    std::string said;
    for (const auto& p : list.problems) said += p.to_string() + "\n";
    REQUIRE_MESSAGE(list.rules, said << text);
    return list.rules;
}

// The list that the entries came from, as if it had been read.
ops::allowlist_draft draft_of(const std::vector<exeat::testing::entry>& entries)
{
    ops::allowlist_draft d;
    for (std::size_t i = 0; i < group_names.size(); ++i)
        d.groups.push_back({std::string{group_names[i]}, {{ip_address::v4(0x0a2a0000 + static_cast<std::uint32_t>(i << 8)), 120}}, 0, 0});
    for (const auto& e : entries) {
        ops::entry as{e.value, {}, {}, {}, {}};
        if (e.value.kind == rule_kind::private_link) as.value.within = {*ip_prefix::parse("10.20.8.0/24")};
        for (const auto& h : e.hosts) as.hosts.push_back({*host_pattern::parse(h), {}});
        d.entries.push_back(std::move(as));
    }
    return d;
}

using tuple = std::tuple<std::size_t, std::string, std::uint16_t, protocol>; // group, host, port

// A request may pass exactly where its protocol was seen: CONNECT leads to TLS, to raw bytes, and to plain HTTP inside.
bool observed(const std::set<tuple>& seen, std::size_t group, const target& to)
{
    const auto has = [&](protocol as) { return seen.contains({group, std::string{to.host.str()}, to.port, as}); };
    switch (to.via) {
    case approach::tunnel: return has(protocol::tls) || has(protocol::tcp) || has(protocol::http);
    case approach::tls: return has(protocol::tls);
    case approach::http: return has(protocol::http);
    }
    return false;
}

std::vector<target> all_targets()
{
    std::vector<target> out;
    std::vector<std::string> names{"test"};
    for (std::size_t from = 0, depth = 0; depth < 4; ++depth) {
        const auto end = names.size();
        for (; from < end; ++from)
            for (const auto* label : {"a.", "b."}) names.push_back(label + names[from]);
    }
    names.erase(names.begin()); // "test" is no hostname
    for (const auto& n : names)
        for (const auto* port : {"22", "80", "443"})
            for (const auto via : {approach::tunnel, approach::tls, approach::http}) out.push_back(to(n + ":" + port, via));
    return out;
}

ops::narrow_list suggested(const observed_use& seen, const ops::allowlist_draft* given = nullptr) { return ops::narrow(seen, given, {}); }

} // namespace

TEST_CASE("the suggested list allows exactly what was served: no other group, host, port or protocol")
{
    std::mt19937 random{23};
    const auto everywhere = all_targets();
    std::size_t checked = 0;
    for (int round = 0; round < 90; ++round) {
        std::vector<exeat::testing::entry> entries;
        for (std::size_t i = 0; i < 2 + random() % 8; ++i) entries.push_back(random_entry(random, i));
        const auto list = compiled(entries);
        observed_use seen;
        std::set<tuple> tuples;
        for (std::size_t n = random() % 60; n-- > 0;) {
            const auto group = random() % 3;
            const auto& asked = everywhere[random() % everywhere.size()];
            const auto d = decide(client_of(group), asked, list, now);
            if (!d.allowed()) continue;
            seen.request(served_by(*d.rule, group, asked));
            tuples.insert({group, std::string{asked.host.str()}, asked.port, d.rule->protocol});
        }
        auto given = draft_of(entries);
        for (const auto* from : {static_cast<const ops::allowlist_draft*>(nullptr), static_cast<const ops::allowlist_draft*>(&given)}) {
            const auto narrow = loaded(ops::to_toml(suggested(seen, from), {}, {}));
            for (const auto& asked : everywhere)
                for (std::size_t g = 0; g < 3; ++g) {
                    const client who{address_of(g), 0, narrow->groups_of(address_of(g))};
                    const bool passes = decide(who, asked, *narrow, now).allowed(), wanted = observed(tuples, g, asked);
                    checked += wanted;
                    if (passes != wanted) FAIL(asked.host.str() << ":" << asked.port << " group " << g << " passes " << passes);
                }
        }
    }
    CHECK(checked > 500);
}

TEST_CASE("a suggested list keeps owner, reason, ticket, purpose, end, budgets and networks of the entry that served")
{
    auto e = linked("weights", {"*.blob.test"});
    e.value.owner = "o\" # [x]", e.value.reason = "r\\u0041", e.value.ticket = "T-1 \xf3\xa0\x81\x81"; // U+E0041, which nobody sees
    e.value.purpose = purpose::push;
    e.value.upload = upload_limits{{5 << 20, unlimited, 1 << 30}, false};
    e.value.upload_total.most[1] = std::uint64_t{7} << 30;
    e.value.account = "shared";
    e.value.on_budget = budget_action::throttle;
    e.value.expires = now + std::chrono::hours{1};
    const auto given = draft_of({e});
    observed_use seen;
    seen.request(served_by(e.value, 0, to("a.blob.test:443")));
    const auto narrow = loaded(ops::to_toml(suggested(seen, &given), {}, {}));
    REQUIRE(narrow->rules().size() == 1);
    const auto& r = narrow->rules()[0];
    CHECK(r.kind == rule_kind::private_link);
    CHECK(r.owner == e.value.owner);
    CHECK(r.reason == e.value.reason);
    CHECK(r.ticket == e.value.ticket);
    CHECK(r.purpose == purpose::push);
    CHECK(r.upload == e.value.upload);
    CHECK(r.upload_total == e.value.upload_total);
    CHECK(r.account == "shared");
    CHECK(r.on_budget == budget_action::throttle);
    CHECK(r.expires == e.value.expires);
    CHECK(r.within == std::vector{*ip_prefix::parse("10.20.8.0/24")});
    CHECK(narrow->groups()[0].sources == given.groups[0].sources);
}

TEST_CASE("a suggested entry takes encrypted hellos only where there were any, and no more kinds than its origin")
{
    for (const auto from : {ech_policy::deny, ech_policy::grease, ech_policy::allow})
        for (const bool there : {false, true}) {
            auto e = allow("docs", {"docs.test"});
            e.value.ech = from;
            auto served = served_by(e.value, 0, to("docs.test:443"));
            served.ech = there;
            observed_use seen;
            seen.request(served);
            const auto given = draft_of({e});
            const auto narrow = loaded(ops::to_toml(suggested(seen, &given), {}, {}));
            const auto served_as = from == ech_policy::grease ? ech_policy::grease : ech_policy::allow; // a log may be of an older list
            CHECK(narrow->rules().at(0).ech == (there ? served_as : ech_policy::deny));
        }
}

TEST_CASE("refused hosts come as comments, the most asked for first, and never as entries")
{
    observed_use seen;
    for (int i = 0; i < 12; ++i) seen.request(refused_event("often.test"));
    for (int i = 0; i < 15; ++i) seen.request(refused_event("denied.test", verdict::denied_by_rule));
    for (int i = 0; i < 9; ++i) seen.request(refused_event("seldom.test"));
    const auto text = ops::to_toml(suggested(seen), {}, {});
    CHECK(text.find("# often.test:443 asked 12 times by training, denied not_allowed\n# [[allow]]\n") != text.npos);
    CHECK(text.find("# denied.test:443 asked 15 times by training, denied denied_by_rule\n# often.test") != text.npos);
    CHECK(text.find("seldom.test") == text.npos);
    CHECK(loaded(text)->rules().empty());
}

TEST_CASE("a candidate without its comment signs is an entry that loads")
{
    observed_use seen;
    for (int i = 0; i < 12; ++i) seen.request(refused_event("often.test"));
    const auto e = served_by(allow("packages", {}).value, 0, to("pkg.test:443"));
    seen.request(e);
    auto text = ops::to_toml(suggested(seen), {}, {});
    for (auto at = text.find("# [[allow]]"); text.substr(at, 2) == "# "; at = text.find('\n', at) + 1) text.erase(at, 2);
    CHECK(loaded(text)->rules().size() == 2);
}

TEST_CASE("hellos that an entry did not take are told of, with what to do, and become no entry")
{
    observed_use seen;
    for (int i = 0; i < 12; ++i) {
        seen.request(refused_event("browsed.test", verdict::ech));
        seen.request(refused_event("plain.test", verdict::not_tls));
    }
    const auto text = ops::to_toml(suggested(seen), {}, {});
    const auto says = [&text](std::string_view what) { return text.find(what) != text.npos; };
    CHECK_MESSAGE(says("# browsed.test:443 asked 12 times by training, denied ech\n#   browsers send such hellos"), text);
    CHECK_MESSAGE(says("# plain.test:443 asked 12 times by training, denied not_tls\n#   its entry is for TLS"), text);
    CHECK_FALSE(says("[[allow]]"));
    CHECK(text.ends_with("\nend = true\n"));
}

TEST_CASE("whoever asks for ever new names does not push out what is asked for again and again")
{
    observed_use seen;
    for (std::size_t i = 0; i < 3 * limits::observed_refusals; ++i) {
        seen.request(refused_event("n" + std::to_string(i) + ".flood.test"));
        if (i % 1'000 == 0) seen.request(refused_event("often.test"));
    }
    CHECK(seen.forgotten() > limits::observed_refusals);
    CHECK(seen.refused().size() <= limits::observed_refusals);
    CHECK(ops::to_toml(suggested(seen), {}, {}).find("often.test:443 asked ") != std::string::npos);
}

TEST_CASE("what only report mode let pass is an entry only when that is asked for")
{
    observed_use seen;
    auto e = served_by(allow("_report", {}).value, 1, to("new.test:443"));
    seen.request(e);
    const auto without = ops::to_toml(suggested(seen), {}, {});
    CHECK(loaded(without)->rules().empty());
    CHECK(without.find("# new.test:443 (tls) for eval\n") != without.npos);
    const auto with = loaded(ops::to_toml(ops::narrow(seen, nullptr, {.reported = true, .times = 10}), {}, {}));
    REQUIRE(with->rules().size() == 1);
    CHECK(with->rules()[0].name == "reported");
    CHECK(with->groups()[0].sources == std::vector{ip_prefix{address_of(1), 128}});
}

TEST_CASE("a proposed budget is four times the busiest hour of one client, in whole MiB")
{
    observed_use seen;
    auto e = served_by(allow("packages", {}).value, 0, to("pkg.test:443"));
    const auto handle = seen.request(e);
    seen.moved(handle, e, 3 << 20, 0);
    e.at += std::chrono::hours{1};
    seen.moved(handle, e, 1 << 20, 0); // another hour
    seen.moved(handle, e, 1 << 20, 0);
    e.source = address_of(1);
    seen.moved(handle, e, 1 << 20, 0); // another client
    CHECK(seen.busiest_hours().at("packages") == 3 << 20);
    CHECK(ops::to_toml(suggested(seen), {}, {}).find("# upload = \"12 MiB/1h\" would be 4 times") != std::string::npos);
    CHECK(ops::proposed_upload(0) == 1 << 20);
    CHECK(ops::proposed_upload((1 << 20) + 1) == 5 << 20);
}

TEST_CASE("unused entries, hosts and wildcards are told, and a wildcard of few names could be those names")
{
    auto used = allow("used", {"pkg.test", "never.test", "*.w.test", "**.deep.test", "*.none.test"});
    used.value.purpose = purpose::api;
    const auto given = draft_of({used, allow("unused", {"x.test"})});
    observed_use seen;
    for (const auto* host : {"pkg.test:443", "a.w.test:443", "b.a.deep.test:443"}) seen.request(served_by(used.value, 0, to(host)));
    const auto uses = ops::uses_of(given, seen);
    REQUIRE(uses.size() == 2);
    CHECK(uses[0].requests == 3);
    CHECK(uses[0].unused == std::vector<std::string>{"never.test"});
    REQUIRE(uses[0].wildcards.size() == 3); // ascending: "**.deep.test", "*.none.test", "*.w.test"
    CHECK(uses[0].wildcards[0].names == std::vector<std::string>{"b.a.deep.test"});
    CHECK(uses[0].wildcards[1].names.empty());
    CHECK(uses[0].wildcards[2].names == std::vector<std::string>{"a.w.test"});
    CHECK(uses[0].tenth());
    const auto lines = ops::to_lines(uses);
    REQUIRE(lines.size() == 6);
    CHECK(lines[0].find("nobody asked 'used' for never.test") != std::string::npos);
    CHECK(lines[3].find("*.w.test of 'used' could be a.w.test") != std::string::npos);
    CHECK(lines[5].find("entry 'unused' was not used") != std::string::npos);
}

TEST_CASE("a host that was reached both inside and outside is left out, and said")
{
    observed_use seen;
    auto inside = served_by(linked("a", {}).value, 0, to("both.test:443"));
    auto outside = served_by(allow("b", {}).value, 0, to("both.test:443"));
    seen.request(inside), seen.request(outside);
    const auto list = suggested(seen);
    CHECK(!list.whole());
    CHECK(list.entries.size() == 1);
    CHECK(ops::to_toml(list, {}, {}).find("# both.test:443 (tls) for training\n") != std::string::npos);
}

TEST_CASE("whatever a changed log claims, the list loads or says that it is not whole")
{
    constexpr std::array<std::string_view, 8> hosts{"a.test",          "b.a.test",  "8.8.8.8",  "2600::1",
                                                    "169.254.169.254", "127.0.0.1", "10.1.2.3", "xn--a.test"};
    constexpr std::array<const char*, 6> peers{"8.8.8.8", "10.20.8.4", "127.0.0.1", "169.254.169.254", "fd00::1", "0.0.0.0"};
    constexpr std::array<std::string_view, 5> names{"a", "a-2", "_report", "_other", "reported"};
    std::mt19937 random{31};
    for (int round = 0; round < 200; ++round) {
        observed_use seen;
        for (std::size_t n = 1 + random() % 20; n-- > 0;) {
            ops::logged_event e;
            e.action = ops::logged_event::what::open;
            e.source = *ip_address::parse(peers[random() % peers.size()]);
            e.group = group_names[random() % 3];
            e.rule = names[random() % names.size()];
            e.via = static_cast<approach>(random() % 3);
            e.as = static_cast<protocol>(random() % 3);
            e.ech = random() % 4 == 0;
            e.host = *hostname::parse(ops::written_host(std::string{hosts[random() % hosts.size()]}));
            e.port = static_cast<std::uint16_t>(1 + random() % 200);
            if (random() % 2 == 0) e.peer = ip_address::parse(peers[random() % peers.size()]);
            seen.request(e);
            seen.request(refused_event("refused.test"));
        }
        for (const bool reported : {false, true})
            loaded(ops::to_toml(ops::narrow(seen, nullptr, {.reported = reported, .times = 1}), {}, {}));
    }
}
