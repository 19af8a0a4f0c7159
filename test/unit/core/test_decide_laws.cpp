#include "random_policy.hpp"

#include <algorithm>
#include <array>
#include <random>

using namespace exeat;
using namespace exeat::testing;
using namespace std::chrono_literals;

namespace {

// The law, in words: nothing clever, nothing shared with the code under test.
bool matches(const std::string& p, const std::string& host)
{
    const auto ends = [&](const std::string& suffix) { return host.size() > suffix.size() && host.ends_with(suffix); };
    if (p.starts_with("**.")) return ends(p.substr(2));
    if (p.starts_with("*.")) return ends(p.substr(1)) && host.find('.') == host.size() - (p.size() - 1);
    return p == host;
}

bool names_host(const entry& e, const std::string& host)
{
    return std::any_of(e.hosts.begin(), e.hosts.end(), [&](const std::string& p) { return matches(p, host); });
}

bool may_leave(const std::vector<entry>& all, const client& who, const target& t)
{
    const std::string host{t.host.str()};
    bool linked = false, denied = false, allow_opens = false, link_opens = false;
    for (const auto& e : all) {
        if (!names_host(e, host)) continue;
        const auto& r = e.value;
        const bool mine = (r.groups & who.groups).any();
        const bool port = std::count(r.ports.begin(), r.ports.end(), t.port) > 0;
        const bool how = t.via == approach::tunnel || r.protocol == (t.via == approach::http ? protocol::http : protocol::tls);
        linked = linked || r.kind == rule_kind::private_link;
        denied = denied || (r.kind == rule_kind::deny && mine && (port || r.ports.empty()));
        const bool opens = mine && port && how && now < r.expires;
        allow_opens = allow_opens || (opens && r.kind == rule_kind::allow);
        link_opens = link_opens || (opens && r.kind == rule_kind::private_link);
    }
    return !denied && (linked ? link_opens : allow_opens);
}

} // namespace

TEST_CASE("decide allows exactly what some rule names and no deny forbids, for random policies")
{
    std::mt19937 random{42};
    std::size_t allowed = 0, refused = 0;
    for (int round = 0; round < 400; ++round) {
        std::vector<entry> all;
        for (std::size_t i = 0; i < 1 + random() % 8; ++i) all.push_back(random_entry(random, i));
        const auto p = compiled(all);
        for (int probe = 0; probe < 30; ++probe) {
            const auto t = random_target(random);
            client who;
            who.groups = group_set{1 + random() % 7};
            const auto d = decide(who, t, p, now);
            REQUIRE(d.allowed() == may_leave(all, who, t));
            REQUIRE(d.allowed() == (d.verdict == verdict::allowed));
            if (d.allowed()) REQUIRE(names_host(all[static_cast<std::size_t>(d.rule - p.rules().data())], std::string{t.host.str()}));
            ++(d.allowed() ? allowed : refused);
        }
    }
    CHECK(allowed > 500); // the test would prove little otherwise
    CHECK(refused > 500);
}

TEST_CASE("the order of the entries changes no verdict")
{
    std::mt19937 random{7};
    for (int round = 0; round < 200; ++round) {
        std::vector<entry> all;
        for (std::size_t i = 0; i < 2 + random() % 8; ++i) all.push_back(random_entry(random, i));
        auto other = all;
        std::shuffle(other.begin(), other.end(), random);
        const auto one = compiled(all), two = compiled(other);
        for (int probe = 0; probe < 20; ++probe) {
            const auto t = random_target(random);
            CHECK(decide(training, t, one, now).verdict == decide(training, t, two, now).verdict);
        }
    }
}
