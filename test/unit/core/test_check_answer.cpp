#include <exeat/check_address.hpp>

#include "small_policy.hpp"

#include <algorithm>

using namespace exeat;
using namespace exeat::testing;

namespace {

struct said_of_answer {
    verdict why = verdict::allowed;
    std::string by;           // the deny
    bool names_nat64 = false; // the advice
    std::vector<std::string> dialled;
    std::string address; // that was refused
};

own_endpoints site(std::string_view nat64 = {}, std::initializer_list<std::string_view> internal = {})
{
    own_endpoints own;
    if (!nat64.empty()) own.site.nat64 = ip_prefix::parse(nat64);
    for (const auto i : internal) own.site.internal.push_back(*ip_prefix::parse(i));
    return own;
}

said_of_answer answered(const policy& p, std::initializer_list<std::string_view> addresses, const own_endpoints& own = {},
                        std::string_view asked = "ok.test:443")
{
    const auto t = to(asked);
    const auto d = decide(training, t, p, now);
    REQUIRE(d.allowed());
    std::vector<ip_address> found;
    for (const auto a : addresses) found.push_back(*ip_address::parse(a));
    const auto checked = check_answer(*d.approval, found, own);
    said_of_answer out;
    if (checked)
        for (const auto& c : *checked) out.dialled.push_back(c.address().to_string());
    else
        out = {checked.error().why,
               checked.error().by != nullptr ? checked.error().by->name : "",
               checked.error().advice.find("nat64") != std::string_view::npos,
               {},
               checked.error().address.to_string()};
    return out;
}

using texts = std::vector<std::string>;
policy open() { return compiled({allow("x", {"ok.test"})}); }

} // namespace

TEST_CASE("where no NAT64 prefix is named, what DNS64 made of the answer's own addresses is left out")
{
    // RFC 6052 section 2.4: 64:ff9b::/96 and 192.0.2.33 are 64:ff9b::192.0.2.33; here with public addresses
    const auto both = answered(open(), {"64:ff9b::93.184.216.34", "93.184.216.34"});
    CHECK(both.why == verdict::allowed);
    CHECK(both.dialled == texts{"93.184.216.34"});
    const auto other = answered(open(), {"93.184.216.34", "64:ff9b::8.8.8.8", "2606:2800:220::1"}); // of a public address: nothing to hide
    CHECK(other.dialled == texts{"93.184.216.34", "2606:2800:220::1"});
}

TEST_CASE("an answer of nothing but such addresses is refused, and the refusal names the setting")
{
    for (const auto& answer : {std::initializer_list<std::string_view>{"64:ff9b::8.8.8.8"}, {"64:ff9b::8.8.8.8", "64:ff9b::1.1.1.1"}}) {
        const auto said = answered(open(), answer);
        CHECK(said.why == verdict::addr_class);
        CHECK(said.names_nat64);
    }
    const auto local = answered(open(), {"93.184.216.34", "64:ff9b:1::5db8:d822"}); // RFC 8215: what it stands for is not known
    CHECK(local.why == verdict::addr_class);
    CHECK(local.names_nat64);
    const auto another = answered(open(), {"64:ff9b::8.8.8.8"}, site("2001:db8:64::/96"));
    CHECK(another.why == verdict::addr_class);
    CHECK(another.names_nat64);
    CHECK(answered(open(), {}).why == verdict::allowed);
    CHECK(answered(open(), {}).dialled.empty());
}

TEST_CASE("a translated address that nobody may dial refuses the whole answer")
{
    for (const auto* quad :
         {"10.0.0.5", "127.0.0.1", "169.254.169.254", "168.63.129.16", "192.168.1.1", "100.64.0.1", "0.0.0.0", "224.0.0.1"}) {
        const auto hidden = "64:ff9b::" + std::string{quad};
        CHECK_MESSAGE(answered(open(), {"93.184.216.34", hidden}).why == verdict::addr_class, quad);
        CHECK_MESSAGE(answered(open(), {hidden, "93.184.216.34"}).why == verdict::addr_class, quad);
        CHECK_MESSAGE(answered(open(), {quad, hidden, "93.184.216.34"}).why == verdict::addr_class, quad);
    }
    CHECK(answered(open(), {"93.184.216.34", "64:ff9b::20.40.1.1"}, site({}, {"20.40.0.0/16"})).why == verdict::addr_class);
    auto own = site();
    own.addresses = {*ip_address::parse("93.184.216.34")};
    CHECK(answered(open(), {"8.8.8.8", "64:ff9b::93.184.216.34"}, own).why == verdict::self_connect);
}

TEST_CASE("where the prefix is named, the translated address is judged and dialled")
{
    const auto own = site("64:ff9b::/96");
    CHECK(answered(open(), {"64:ff9b::93.184.216.34"}, own).dialled == texts{"64:ff9b::5db8:d822"});
    CHECK(answered(open(), {"93.184.216.34", "64:ff9b::93.184.216.34"}, own).dialled == texts{"93.184.216.34", "64:ff9b::5db8:d822"});
    const auto inside = answered(open(), {"64:ff9b::10.0.0.5"}, own);
    CHECK(inside.why == verdict::addr_class);
    CHECK_FALSE(inside.names_nat64); // it is named, and is not what is wrong
}

TEST_CASE("of a private link, too, only what the answer has untranslated is dialled")
{
    auto link = linked("l", {"ok.test"});
    link.value.within = {*ip_prefix::parse("10.20.8.0/24")};
    const auto p = compiled({link});
    CHECK(answered(p, {"10.20.8.4", "64:ff9b::10.20.8.4"}).dialled == texts{"10.20.8.4"});
    CHECK(answered(p, {"10.20.8.4", "64:ff9b::10.20.8.5"}).why == verdict::addr_class); // private, and the answer does not have it
    CHECK(answered(p, {"10.20.8.4", "64:ff9b::10.20.9.5"}).why == verdict::private_link_cidr);
    CHECK(answered(p, {"10.20.8.4", "64:ff9b::8.8.8.8"}).why == verdict::private_link_public);
}

TEST_CASE("one denied address refuses the whole answer, by the entry that denies it")
{
    for (const auto* denied : {"93.184.216.34", "93.184.216.0/24", "0.0.0.0/0", "93.184.216.34/32"}) {
        const auto p = compiled({allow("x", {"ok.test"}), deny("no", {denied})});
        const auto said = answered(p, {"2606:2800:220::1", "93.184.216.34"});
        CHECK_MESSAGE(said.why == verdict::denied_by_rule, denied);
        CHECK_MESSAGE(said.by == "no", denied);
        CHECK_MESSAGE(answered(p, {"2606:2800:220::1"}).dialled == texts{"2606:2800:220::1"}, denied);
    }
    const auto six = compiled({allow("x", {"ok.test"}), deny("no", {"[2606:2800:220::1]", "2a00::/16"})});
    CHECK(answered(six, {"2606:2800:220::1"}).why == verdict::denied_by_rule);
    CHECK(answered(six, {"2a00:1450::1"}).why == verdict::denied_by_rule);
    CHECK(answered(six, {"2606:2800:220::2"}).why == verdict::allowed);
}

TEST_CASE("a deny of an address holds for its clients and ports, as one of a name does")
{
    auto of_eval = deny("no", {"93.184.216.0/24"});
    of_eval.value.groups = group_set{}.set(1);
    CHECK(answered(compiled({allow("x", {"ok.test"}), of_eval}), {"93.184.216.34"}).why == verdict::allowed);
    auto at_22 = deny("no", {"93.184.216.0/24"});
    at_22.value.ports = {22};
    auto wide = allow("x", {"ok.test"});
    wide.value.ports = {22, 443};
    const auto p = compiled({wide, at_22});
    CHECK(answered(p, {"93.184.216.34"}).why == verdict::allowed);
    CHECK(answered(p, {"93.184.216.34"}, {}, "ok.test:22").why == verdict::denied_by_rule);
    auto both = compiled({allow("x", {"ok.test"}), of_eval, deny("all", {"93.184.0.0/16"})}); // the narrower one is not for this client
    CHECK(answered(both, {"93.184.216.34"}).by == "all");
}

TEST_CASE("the address that stands for a denied one is denied, translated or not")
{
    const auto p = compiled({allow("x", {"ok.test"}), deny("no", {"93.184.216.34"})});
    CHECK(answered(p, {"64:ff9b::93.184.216.34"}, site("64:ff9b::/96")).why == verdict::denied_by_rule);
    CHECK(answered(p, {"2001:db8:64::93.184.216.34"}, site("2001:db8:64::/96")).why == verdict::denied_by_rule);
    CHECK(answered(p, {"8.8.8.8", "64:ff9b::93.184.216.34"}).why == verdict::denied_by_rule); // not dialled, and yet told
    const auto prefix = compiled({allow("x", {"ok.test"}), deny("no", {"64:ff9b::/96"})});
    CHECK(answered(prefix, {"8.8.8.8", "64:ff9b::8.8.8.8"}).why == verdict::denied_by_rule);
}

TEST_CASE("a pinned address of a private link is denied like any other")
{
    auto link = linked("l", {"ok.test"});
    link.value.addresses = {*ip_address::parse("10.20.8.4"), *ip_address::parse("127.0.0.1")};
    CHECK(answered(compiled({link}), {"10.20.8.4", "127.0.0.1"}).why == verdict::allowed);
    for (const auto* denied : {"10.20.8.0/24", "127.0.0.1"})
        CHECK(answered(compiled({link, deny("no", {denied})}), {"10.20.8.4", "127.0.0.1"}).why == verdict::denied_by_rule);
}

TEST_CASE("an address that is asked for by itself is denied before anything is looked at")
{
    auto literal = allow("x", {"93.184.216.34"});
    literal.value.protocol = protocol::tcp;
    const auto p = compiled({literal, deny("no", {"93.184.216.0/24"})});
    const auto d = decide(training, to("93.184.216.34:443"), p, now);
    CHECK(d.verdict == verdict::denied_by_rule);
    REQUIRE(d.rule != nullptr);
    CHECK(d.rule->name == "no");
    CHECK(decide(training, to("93.184.217.1:443"), p, now).verdict == verdict::ip_literal);
}

TEST_CASE("report mode lets no denied address pass")
{
    policy_settings s;
    s.report = true;
    s.report_until = now + 24h;
    const auto p = compiled({deny("no", {"93.184.216.0/24"})}, s);
    CHECK(answered(p, {"93.184.216.34"}, {}, "unlisted.test:443").why == verdict::denied_by_rule);
    CHECK(answered(p, {"8.8.8.8"}, {}, "unlisted.test:443").why == verdict::allowed);
}

TEST_CASE("a refusal names the address that it is about, as it was judged")
{
    const auto denying = compiled({allow("x", {"ok.test"}), deny("d", {"93.184.0.0/16", "2606:2800::/32"})});
    CHECK(answered(denying, {"8.8.8.8", "93.184.216.34"}).address == "93.184.216.34");
    CHECK(answered(denying, {"8.8.8.8", "2606:2800:220::1"}).address == "2606:2800:220::1");
    CHECK(answered(open(), {"8.8.8.8", "10.1.2.3", "10.1.2.4"}).address == "10.1.2.3");
    CHECK(answered(open(), {"64:ff9b::10.1.2.3"}).address == "10.1.2.3");
    CHECK(answered(open(), {"64:ff9b::8.8.8.8"}).address == "64:ff9b::808:808");
    // Behind the site's translators it is the IPv4 address that the list names.
    CHECK(answered(denying, {"2001:67c:64::93.184.216.34"}, site("2001:67c:64::/96")).address == "93.184.216.34");
    CHECK(answered(open(), {"2001:67c:64::10.1.2.3"}, site("2001:67c:64::/96")).address == "10.1.2.3");
}

TEST_CASE("what needs no look-up is known beforehand: what a link pins, before a target that is an address")
{
    auto pinned = linked("l", {"pin.test", "10.9.9.9"});
    pinned.value.addresses = {*ip_address::parse("10.20.8.4"), *ip_address::parse("10.20.8.5")};
    const auto p = compiled({allow("x", {"ok.test", "8.8.8.8"}), pinned});
    const auto known = [&p](std::string_view asked) {
        const auto t = to(asked);
        const auto d = decide(training, t, p, now);
        REQUIRE(d.allowed());
        texts out;
        for (const auto& a : d.approval->known_addresses()) out.push_back(a.to_string());
        return out;
    };
    CHECK(known("ok.test:443").empty());
    CHECK(known("8.8.8.8:443") == texts{"8.8.8.8"});
    CHECK(known("pin.test:443") == texts{"10.20.8.4", "10.20.8.5"});
    CHECK(known("10.9.9.9:443") == texts{"10.20.8.4", "10.20.8.5"});
}
