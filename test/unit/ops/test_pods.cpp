// What exeat believes about pods: the API server's JSON, and which pod has an address.
#include "written_pod.hpp"

#include <exeat/identity/workload_key.hpp>
#include <ops/identity/pod_table.hpp>

#include <map>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::test;

namespace {

std::string wrong_with(std::string_view json)
{
    const auto p = pod_of(json);
    return p ? "nothing" : p.error();
}

std::string holder(const std::vector<pod_index::change>& all, std::string_view address)
{
    for (const auto& c : all)
        if (c.address == ip(address)) return c.pod ? c.pod->uid.substr(c.pod->uid.size() - 1) : "none";
    return "unchanged";
}

} // namespace

TEST_CASE("a pod is read as the API server writes it, with all of its addresses")
{
    written w;
    w.more_status = R"(,"conditions":[{"type":"Ready"}])";
    auto line = w.line();
    line.replace(line.find(R"([{"ip":"10.244.0.7"}])"), 21, R"([{"ip":"10.244.0.7"},{"ip":"fd00:244::7"}])");
    const auto p = pod_of(line);
    REQUIRE(p.has_value());
    CHECK(p->apart.empty());
    CHECK(p->pod->space == "training");
    CHECK(p->pod->name == "trainer-0");
    CHECK(p->pod->service_account == "training/trainer");
    CHECK(p->pod->addresses == std::vector{ip("10.244.0.7"), ip("fd00:244::7")});
    CHECK(is_workload_key(p->pod->instance));
    CHECK(is_workload_key(p->pod->identity));
}

TEST_CASE("a pod's key is of its UID, and the key of its account is of that alone")
{
    const auto first = with_uid(1).report(), again = with_uid(1, "10.244.0.8").report(), other = with_uid(2).report();
    CHECK(first.pod->instance == again.pod->instance);
    CHECK(first.pod->instance != other.pod->instance);
    CHECK(first.pod->identity == other.pod->identity);
    auto w = with_uid(1);
    w.account = "trainer2";
    CHECK(w.report().pod->identity != first.pod->identity);
    // as it was computed elsewhere: printf 'pod %s' UID | sha256sum, and the same for 'service account training/trainer'
    CHECK(first.pod->instance.to_string() == "fe00:2b6b:5f5c:dd42:a264:db45:76a9:1b75");
}

TEST_CASE("a pod that has ended, or is in its node's network, has no address of its own")
{
    for (const auto* phase : {"Succeeded", "Failed", "Unknown"}) {
        written w;
        w.phase = phase;
        CHECK(w.report().apart == "ended");
    }
    written w;
    w.more_spec = R"(,"hostNetwork":true)";
    CHECK(w.report().apart == "host_network");
    w.more_spec = R"(,"hostNetwork":false)";
    CHECK(w.report().apart.empty());
    w.phase = "Pending";
    CHECK(w.report().apart.empty());
}

TEST_CASE("what could not be a pod's is an error that names it")
{
    CHECK(wrong_with("") != "nothing");
    CHECK(wrong_with("[]") == "is not an object of JSON");
    CHECK(wrong_with("{}") == "has no metadata.uid that could be one: ''");
    CHECK(wrong_with(R"({"kind":"PodList","items":[]})") == "is a list; write one pod a line, as jq -c '.items[]' does");
    CHECK(wrong_with(R"({"kind":"Node"})") == "is of kind 'Node', and not a Pod");
    CHECK(wrong_with(R"({"a":1,"a":2})") == "has the name 'a' twice in one object");
    CHECK(wrong_with(written{}.line() + "{}").starts_with("is not JSON at octet "));
    const auto with = [](auto change) {
        written w;
        change(w);
        return wrong_with(w.line());
    };
    CHECK(with([](auto& w) { w.uid = "a\\u0022b"; }) == R"(has no metadata.uid that could be one: 'a"b')");
    CHECK(with([](auto& w) { w.uid = std::string(limits::pod_uid_octets + 1, 'a'); }) != "nothing");
    CHECK(with([](auto& w) { w.uid = std::string(limits::pod_uid_octets, 'a'); }) == "nothing");
    CHECK(with([](auto& w) { w.space = "Training"; }) == "has no metadata.namespace that could be one: 'Training'");
    CHECK(with([](auto& w) { w.space = "a/b"; }) != "nothing");
    CHECK(with([](auto& w) { w.name = "\\n"; }) != "nothing");
    CHECK(with([](auto& w) { w.account = "../x"; }) == "has a service account that is none: '../x'");
    CHECK(with([](auto& w) { w.account = ""; }) == "nothing"); // a static pod has none
    for (const auto* bad : {"10.244.0.256", "10.244.0.7/32", "::ffff:1.2.3", "localhost", " 10.244.0.7"})
        CHECK(with([&](auto& w) { w.address = bad; }) == fmt::format("has the address '{}', which is none", bad));
    CHECK(with([](auto& w) { w.more_spec = R"(,"hostNetwork":"true")"; }) != "nothing");
    CHECK(with([](auto& w) { w.more_status = R"(,"podIPs":7)"; }) != "nothing");
    for (const auto* bad : {"", "running", "Terminating"})
        CHECK(with([&](auto& w) { w.phase = bad; }) == fmt::format("has no status.phase that could be one: '{}'", bad));
}

TEST_CASE("an IPv4 address in its IPv6 form is the same address")
{
    CHECK(with_uid(1, "::ffff:10.244.0.7").report().pod->addresses == std::vector{ip("10.244.0.7")});
}

TEST_CASE("a pod has a largest depth and number of addresses")
{
    const auto nested = [](std::size_t depth) { // the object, spec, and the lists
        written n;
        n.more_spec = R"(,"x":)" + std::string(depth - 2, '[') + std::string(depth - 2, ']');
        return wrong_with(n.line());
    };
    CHECK(nested(limits::pod_depth) == "nothing");
    CHECK(nested(limits::pod_depth + 1).starts_with("is not JSON at octet "));
    const auto addresses = [](std::size_t n) {
        std::string all;
        for (std::size_t i = 0; i < n; ++i) all += fmt::format(R"({}{{"ip":"10.244.1.{}"}})", i == 0 ? "" : ",", i);
        auto line = written{}.line();
        line.replace(line.find(R"({"ip":"10.244.0.7"})"), 19, all);
        line.replace(line.find(R"("podIP":"10.244.0.7")"), 20, R"("podIP":"10.244.1.0")");
        return wrong_with(line);
    };
    CHECK(addresses(limits::pod_addresses) == "nothing");
    CHECK(addresses(limits::pod_addresses + 1) == "has more than 16 addresses");
}

TEST_CASE("an address is a pod's that alone claims it, and nobody's while two do")
{
    pod_table all{networks};
    all.put(with_uid(1).report());
    CHECK(holder(all.take_changes(), "10.244.0.7") == "1");
    all.put(with_uid(2).report());
    CHECK(all.contested() == 1);
    CHECK(holder(all.take_changes(), "10.244.0.7") == "none");
    all.remove(with_uid(1).uid);
    CHECK(all.contested() == 0);
    CHECK(holder(all.take_changes(), "10.244.0.7") == "2");
    CHECK(all.take_changes().empty());
}

TEST_CASE("an address that is reused within one step changes from the one pod to the other")
{
    pod_table all{networks};
    all.put(with_uid(1).report());
    all.take_changes();
    all.remove(with_uid(1).uid);
    all.put(with_uid(2).report());
    CHECK(holder(all.take_changes(), "10.244.0.7") == "2");
    all.put(with_uid(3).report());
    all.remove(with_uid(3).uid);
    CHECK(all.take_changes().empty()); // as it was
}

TEST_CASE("a pod that ends, or moves to its node's network, loses its address at once")
{
    for (const bool ends : {true, false}) {
        pod_table all{networks};
        all.put(with_uid(1).report());
        all.take_changes();
        auto w = with_uid(1);
        if (ends) w.phase = "Succeeded";
        else w.more_spec = R"(,"hostNetwork":true)";
        all.put(w.report());
        CHECK(all.size() == 0);
        CHECK(holder(all.take_changes(), "10.244.0.7") == "none");
    }
}

TEST_CASE("addresses outside of the networks are nobody's, whatever a pod says")
{
    pod_table all{networks};
    all.put(with_uid(1, "10.245.0.7").report());
    all.put(with_uid(2, "127.0.0.1").report());
    CHECK(all.size() == 0);
    CHECK(all.take_changes().empty());
}

TEST_CASE("a list replaces all that was known, and what is the same is not told again")
{
    pod_table all{networks};
    all.replace({with_uid(1, "10.244.0.1").report(), with_uid(2, "10.244.0.2").report()});
    CHECK(all.take_changes().size() == 2);
    all.replace({with_uid(2, "10.244.0.2").report(), with_uid(3, "10.244.0.1").report()});
    const auto changes = all.take_changes();
    CHECK(changes.size() == 1);
    CHECK(holder(changes, "10.244.0.1") == "3");
    all.replace({});
    CHECK(all.take_changes().size() == 2);
    CHECK(all.size() == 0);
}

TEST_CASE("random events leave the table as the last state of each pod says")
{
    pod_table all{networks};
    pod_index index;
    std::map<int, written> live;
    std::uint32_t x = 1;
    const auto random = [&x](std::uint32_t n) { return (x = x * 1'664'525 + 1'013'904'223) / 65'536 % n; };
    for (int round = 0; round < 2'000; ++round) {
        const int n = static_cast<int>(random(40));
        auto w = with_uid(n, fmt::format("10.244.0.{}", random(20)));
        const auto what = random(4);
        if (what == 0) all.remove(w.uid), live.erase(n);
        else if (what == 1) w.phase = "Failed", all.put(w.report()), live.erase(n);
        else all.put(w.report()), live[n] = w;
        if (random(3) != 0) continue;
        index = index.with(all.take_changes());
        std::map<std::string, std::vector<std::string>> claims;
        for (const auto& [id, pod] : live) claims[pod.address].push_back(pod.uid);
        std::size_t alone = 0;
        for (const auto& [address, uids] : claims) {
            const auto* found = index.find(ip(address));
            REQUIRE((found != nullptr) == (uids.size() == 1));
            if (found == nullptr) continue;
            ++alone;
            REQUIRE((*found)->uid == uids.front());
        }
        REQUIRE(index.size() == alone);
    }
}
