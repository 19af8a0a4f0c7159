#include "small_allowlist.hpp"

using namespace exeat;
using namespace exeat::testing;

TEST_CASE("a list whose own tests fail does not load, and says what it expected, what it got and from which entry")
{
    const auto expect = [](std::string_view target, std::string_view verdict, std::string_view client = "10.42.0.1") {
        return std::string{least} + std::string{entry} + "[[expect]]\nclient = \"" + std::string{client} + "\"\ntarget = \"" +
               std::string{target} + "\"\nverdict = \"" + std::string{verdict} + "\"\n";
    };
    for (const auto& good :
         {expect("ok.test:443", "allow"), expect("OK.test.:443", "allow"), expect("ok.test:22", "port_not_allowed"),
          expect("http://ok.test/x", "port_not_allowed"), expect("http://ok.test:443", "protocol_not_allowed"),
          expect("no.test:443", "not_allowed"), expect("ok.test:443", "source_not_allowed", "10.0.0.1"), expect("ok.test", "host_syntax"),
          expect("evil\\u0000.ok.test:443", "host_syntax"), expect("https://ok.test", "scheme"), expect("192.0.2.1:443", "ip_literal"),
          expect("http://[2001:db8::1]", "ip_literal")}) {
        const auto loaded = load(good);
        CHECK_MESSAGE(loaded.rules, good << text_of(loaded.problems));
        CHECK(loaded.expectations.size() == 1);
    }
    const auto failed = load(expect("ok.test:22", "allow"));
    CHECK_FALSE(failed.rules);
    check_complaint({"", 7, 1, "expected that 'ok.test:22' from client 10.42.0.1 is allowed, but it is port_not_allowed: 'a' ("},
                    failed.problems);
    CHECK(text_of(failed.problems).find("allowlist.toml:4)") != std::string::npos);
    CHECK_FALSE(load(expect("ok.test:443", "not_allowed")).rules);
    CHECK_FALSE(load(expect("ok.test", "allow")).rules);
}

TEST_CASE("in report mode the list's tests are about what enforce would say")
{
    const std::string head = "mode = \"report\"\nreport_until = 2026-06-10T00:00:00Z\n" + std::string{least} + std::string{entry};
    const std::string test = "[[expect]]\nclient = \"10.42.0.1\"\ntarget = \"no.test:443\"\nverdict = ";
    CHECK(load(head + test + "\"not_allowed\"\n").rules);
    CHECK_FALSE(load(head + test + "\"allow\"\n").rules);
}

TEST_CASE("a test that only the expiry of its grant fails is a warning: a restart must not hang on it")
{
    const std::string test =
        "expires = 2026-05-01T00:00:00Z\n[[expect]]\nclient = \"10.42.0.1\"\ntarget = \"ok.test:443\"\nverdict = \"allow\"\n";
    const auto loaded = load(std::string{least} + std::string{entry} + test);
    CHECK_MESSAGE(loaded.rules, text_of(loaded.problems));
    CHECK(loaded.problems.size() == 2);
}

TEST_CASE("addresses that are known without a look-up are judged as the proxy judges them")
{
    const std::string entries =
        "[[allow]]\nname = \"literals\"\nhosts = [\"93.184.216.34\"]\nprotocol = \"tcp\"\nports = [443]\n"
        "[[private_link]]\nname = \"pinned\"\nhosts = [\"pin.test\"]\naddresses = [\"10.20.8.4\", \"10.20.8.5\"]\n"
        "[[private_link]]\nname = \"near\"\nhosts = [\"10.20.9.9\"]\nwithin = [\"10.20.8.0/24\"]\nprotocol = \"tcp\"\nports = [443]\n";
    const auto said = [&](std::string_view target, std::string_view verdict, std::string_view denied = "") {
        auto list = std::string{least} + entries;
        if (!denied.empty()) list += "[[deny]]\nname = \"d\"\nhosts = [\"" + std::string{denied} + "\"]\n";
        list +=
            "[[expect]]\nclient = \"10.42.0.1\"\ntarget = \"" + std::string{target} + "\"\nverdict = \"" + std::string{verdict} + "\"\n";
        return load(list);
    };
    CHECK(said("pin.test:443", "allowed").rules);                     // the verdict's own word, too
    CHECK(said("pin.test:443", "denied_by_rule", "10.20.8.5").rules); // one of two refuses
    CHECK(said("pin.test:443", "denied_by_rule", "10.0.0.0/8").rules);
    CHECK(said("93.184.216.34:443", "allow").rules);
    CHECK(said("93.184.216.34:443", "denied_by_rule", "93.184.0.0/16").rules);
    CHECK(said("10.20.9.9:443", "private_link_cidr").rules);
    const auto failed = said("pin.test:443", "allow", "10.20.8.0/24");
    CHECK_FALSE(failed.rules);
    CHECK(text_of(failed.problems).find("is allowed, but it is denied_by_rule by 'd'") != std::string::npos);

    // What is internal at a site is so for the list's tests.
    const temporary_directory d;
    const auto path = d.write("allowlist.toml", std::string{least} + entries + "[[expect]]\nclient = \"10.42.0.1\"\n" +
                                                    "target = \"93.184.216.34:443\"\nverdict = \"addr_class\"\n");
    ops::label_registry labels;
    ops::load_options with;
    CHECK_FALSE(ops::load_allowlist(path, labels, now, with).rules);
    with.site.internal = {*ip_prefix::parse("93.184.0.0/16")};
    CHECK(ops::load_allowlist(path, labels, now, with).rules);
}
