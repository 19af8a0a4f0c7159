// Pods: which one has an address, and the groups that it is in.
#include <exeat/budget/moved_clients.hpp>
#include <exeat/identity/pod_index.hpp>
#include <exeat/identity/workload_key.hpp>
#include <exeat/policy_builder.hpp>

#include <doctest/doctest.h>
#include <map>
#include <random>

using namespace exeat;

namespace {

ip_address ip(std::string_view text) { return *ip_address::parse(text); }

std::shared_ptr<const pod> pod_named(std::string uid) { return std::make_shared<const pod>(pod{.uid = std::move(uid)}); }

group group_of(std::string name, std::vector<std::string_view> sources, workload_terms terms)
{
    group g;
    g.name = std::move(name);
    for (const auto s : sources) g.sources.push_back(*ip_prefix::parse(s));
    g.workloads = std::move(terms);
    return g;
}

policy policy_of(std::vector<group> groups)
{
    policy_builder b;
    for (auto& g : groups) b.add_group(std::move(g));
    return std::move(b).finish({});
}

std::vector<std::string> names(const group_set& of, const policy& p)
{
    std::vector<std::string> out;
    for (std::size_t i = 0; i < p.groups().size(); ++i)
        if (of[i]) out.push_back(p.groups()[i].name);
    return out;
}

using words = std::vector<std::string>;

words groups_at(const policy& p, std::string_view address, std::string_view account = {})
{
    const auto who = pod_of_account(account);
    return names(p.groups_of(ip(address), who ? &*who : nullptr), p);
}

} // namespace

TEST_CASE("an index finds exactly the pods that were put into it, and an older index stays as it was")
{
    std::mt19937 random{7};
    std::map<ip_address, std::shared_ptr<const pod>> expected;
    pod_index index{random()};
    const pod_index empty = index;
    for (int round = 0; round < 200; ++round) {
        std::vector<pod_index::change> changes;
        for (int i = 0; i < 20; ++i) {
            const auto a = ip_address::v4(0x0af40000 + random() % 512);
            const auto p = random() % 3 == 0 ? nullptr : pod_named(std::to_string(random()));
            changes.push_back({a, p});
            if (p) expected[a] = p;
            else expected.erase(a);
        }
        index = index.with(changes);
    }
    CHECK(index.size() == expected.size());
    for (std::uint32_t i = 0; i < 600; ++i) {
        const auto a = ip_address::v4(0x0af40000 + i);
        const auto* found = index.find(a);
        const auto at = expected.find(a);
        REQUIRE((found != nullptr) == (at != expected.end()));
        if (found != nullptr) REQUIRE(*found == at->second);
    }
    CHECK(empty.size() == 0);
}

TEST_CASE("a change of one address shares all other parts of the index")
{
    std::vector<pod_index::change> all;
    for (std::uint32_t i = 0; i < 5'000; ++i) all.push_back({ip_address::v4(0x0af40000 + i), pod_named(std::to_string(i))});
    const auto before = pod_index{3}.with(all);
    const auto after = before.with(std::vector<pod_index::change>{{ip("10.244.0.9"), nullptr}});
    std::size_t same = 0;
    for (const auto& c : all) same += before.find(c.address) == after.find(c.address) ? 1 : 0;
    CHECK(same > 4'800); // the same object, not only an equal one
    CHECK(after.find(ip("10.244.0.9")) == nullptr);
}

TEST_CASE("kinds of conditions of a group are ANDed, and the values of a kind are ORed")
{
    const auto p = policy_of(
        {group_of("by-network", {"10.0.0.0/8"}, {}), group_of("by-account", {}, {{"training/trainer", "evals/runner"}, {}}),
         group_of("by-namespace", {}, {{}, {"training"}}), group_of("by-both", {"10.1.0.0/16", "10.2.0.0/16"}, {{"training/trainer"}, {}}),
         group_of("by-all", {"10.1.0.0/16"}, {{"training/trainer", "evals/runner"}, {"evals"}})});
    CHECK(groups_at(p, "10.1.0.1") == words{"by-network"});
    CHECK(groups_at(p, "10.1.0.1", "training/trainer") == words{"by-network", "by-account", "by-namespace", "by-both"});
    CHECK(groups_at(p, "10.2.0.1", "training/trainer") == words{"by-network", "by-account", "by-namespace", "by-both"});
    CHECK(groups_at(p, "10.3.0.1", "training/trainer") == words{"by-network", "by-account", "by-namespace"});
    CHECK(groups_at(p, "11.0.0.1", "training/trainer") == words{"by-account", "by-namespace"});
    CHECK(groups_at(p, "10.1.0.1", "training/other") == words{"by-network", "by-namespace"});
    CHECK(groups_at(p, "10.1.0.1", "evals/runner") == words{"by-network", "by-account", "by-all"});
    CHECK(groups_at(p, "10.2.0.1", "evals/runner") == words{"by-network", "by-account"});
    CHECK(groups_at(p, "10.1.0.1", "other/trainer") == words{"by-network"});
    CHECK(groups_at(p, "11.0.0.1") == words{});
}

TEST_CASE("an account is not its namespace, nor the beginning or the case of another one")
{
    const auto p = policy_of({group_of("a", {}, {{"training/trainer"}, {}}), group_of("s", {}, {{}, {"training"}})});
    for (const auto* other : {"training/trainer-2", "training2/trainer", "trainin/gtrainer", "training/traine", "Training/trainer"})
        CHECK(groups_at(p, "10.0.0.1", other) != words{"a", "s"});
    CHECK(groups_at(p, "10.0.0.1", "training/") == words{"s"}); // a static pod has no account
}

TEST_CASE("an address in the form of a workload's key is in no group")
{
    const auto p = policy_of({group_of("all", {"::/0"}, {}), group_of("pods", {}, {{}, {"training"}})});
    CHECK(groups_at(p, "fe00::1").empty());
    CHECK(groups_at(p, "fe01:ffff::1").empty());
    CHECK(groups_at(p, "fe02::1") == words{"all"});
    CHECK(is_workload_key(workload_key(workload_kind::instance, {})));
    CHECK(is_workload_key(workload_key(workload_kind::identity, {})));
    CHECK(workload_key(workload_kind::instance, {}) != workload_key(workload_kind::identity, {}));
}

TEST_CASE("an account has the most instances that a group for its pods has, whatever address a pod has")
{
    auto few = group_of("few", {"10.0.0.0/8"}, {{"training/trainer"}, {}}), many = group_of("many", {"10.1.0.0/16"}, {{}, {"training"}});
    auto network = group_of("network", {"10.0.0.0/8"}, {});
    few.instances = 2, many.instances = 7, network.instances = 1'000;
    const auto p = policy_of({few, many, network});
    CHECK(p.instances_of(*pod_of_account("training/trainer")) == 7);
    CHECK(p.instances_of(*pod_of_account("training/other")) == 7);
    CHECK(p.instances_of(*pod_of_account("evals/runner")) == limits::instances);
    CHECK(policy_of({few, network}).instances_of(*pod_of_account("training/trainer")) == 2);
}

TEST_CASE("pods have moved when anything changed that decides their groups, and other clients only when theirs did")
{
    const auto key = workload_key(workload_kind::instance, {7});
    const auto moved = [&](const policy& a, const policy& b) { return moved_clients{a.memberships(), b.memberships()}; };
    const auto was = policy_of({group_of("pods", {}, {{"training/trainer"}, {}}), group_of("vms", {"10.1.0.0/16"}, {})});
    const auto other_account = policy_of({group_of("pods", {}, {{"training/other"}, {}}), group_of("vms", {"10.1.0.0/16"}, {})});
    const auto other_network = policy_of({group_of("pods", {}, {{"training/trainer"}, {}}), group_of("vms", {"10.2.0.0/16"}, {})});
    const auto reordered = policy_of({group_of("vms", {"10.1.0.0/16"}, {}), group_of("pods", {}, {{"training/trainer"}, {}})});
    const auto pods_only = policy_of({group_of("pods", {}, {{"training/trainer"}, {}}), group_of("vms", {"10.1.0.0/16"}, {{}, {"a"}})});
    CHECK(moved(was, other_account).has(key));
    CHECK(moved(was, other_account).has(everybody));
    CHECK_FALSE(moved(was, other_account).has(ip("10.1.0.1")));
    CHECK(moved(was, other_network).has(key)); // its address may be one of them
    CHECK(moved(was, other_network).has(ip("10.1.0.1")));
    CHECK_FALSE(moved(was, reordered).any());
    CHECK(moved(was, pods_only).has(ip("10.1.0.1"))); // it was in the group, and now only pods are
}

TEST_CASE("names of Kubernetes are labels of RFC 1123, and nothing else is one")
{
    for (const auto* good : {"training/trainer", "a/b", "a-b/c.d-e.f", "0/1"}) CHECK(is_service_account(good));
    for (const auto* bad : {"", "/", "a", "a/", "/b", "A/b", "a/B", "a/b/c", "a.b/c", "-a/b", "a-/b", "a/b.", "a/.b", "a/b..c", "a/b c",
                            "a/b\n", "a/\xc3\xa4", "*/b", "a/*"})
        CHECK_FALSE(is_service_account(bad));
    const std::string longest(63, 'a');
    CHECK(is_namespace(longest));
    CHECK_FALSE(is_namespace(longest + "a"));
    const auto name = longest + "." + longest + "." + longest + "." + std::string(61, 'a'); // 253 octets
    CHECK(is_object_name(name));
    CHECK_FALSE(is_object_name(name + "a"));
}
