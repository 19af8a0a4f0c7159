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
        CHECK(loaded.expectations == 1);
    }
    const auto failed = load(expect("ok.test:22", "allow"));
    CHECK_FALSE(failed.rules);
    check_complaint({"", 7, 1, "expected allow for 'ok.test:22' from 10.42.0.1, but it is port_not_allowed by 'a'"}, failed.problems);
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
