#include "small_allowlist.hpp"

using namespace exeat;
using namespace exeat::testing;

TEST_CASE("every wrong allowlist is an error with its line, its column and a fix")
{
    // each follows `least`, so its own lines start at 4
    constexpr bad_snippet snippets[] = {
        {"[[alow]]", 4, 3, "unknown key 'alow' at the top level; did you mean 'allow'?"},
        {"[allow]\nname = \"a\"", 4, 1, "'allow' is a table; write [[allow]] in double brackets"},
        {"[[allow]]\nname = \"a\"\nhosts = [\"a.b\"]\nprots = [443]", 7, 1, "unknown key 'prots' in [[allow]]; did you mean 'ports'?"},
        {"[[allow]]\nhosts = [\"a.b\"]", 4, 1, "'name' is missing in [[allow]]; add name"},
        {"[[allow]]\nname = \"a\"", 4, 1, "names no host; add hosts"},
        {"[[allow]]\nname = \"a\"\nhosts = []", 6, 9, "'hosts' is empty"},
        {"[[allow]]\nname = \"a\"\nhosts = \"a.b\"", 6, 9, "must be a list of text, not text"},
        {"[[allow]]\nname = \"a\"\nhosts = [\"a.b\", 7]", 6, 17, "this is a whole number"},
        {"[[allow]]\nname = \"A\"\nhosts = [\"a.b\"]", 5, 8, "cannot be a name"},
        {"[[allow]]\nname = \"_other\"\nhosts = [\"a.b\"]", 5, 8, "cannot be a name"},
        {"[[allow]]\nname = \"a b\"", 5, 8, "cannot be a name"},
        {"[[allow]]\nname = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", 5, 8, "cannot be a name"},
        {"[[allow]]\nname = \"a\"\nhosts = [\"a.b\"]\n[[deny]]\nname = \"a\"\nhosts = [\"c.d\"]", 8, 8, "taken by the entry in line 4"},
        {"[[allow]]\nname = \"a\"\nname = \"b\"", 6, 8, "keep only one"},
        {"[[allow]]\nhosts = [\"\"]", 5, 10, "it is empty"},
        {"[[allow]]\nhosts = [\"https://pkg.test\"]", 5, 10, "that is a URL"},
        {"[[allow]]\nhosts = [\"pkg.test/simple\"]", 5, 10, "that is a path"},
        {"[[allow]]\nhosts = [\"10.0.0.0/8\"]", 5, 10, "that is a network, which only a [[deny]] takes"},
        {"[[allow]]\nhosts = [\"pkg.test:443\"]", 5, 10, "the port in 'ports'"},
        {"[[allow]]\nhosts = [\"b\\u00fccher.example\"]", 5, 10, "A-label"},
        {"[[allow]]\nhosts = [\"a b.test\"]", 5, 10, "there is a space in the name"},
        {"[[allow]]\nhosts = [\"a.b\\u0000.test\"]", 5, 10, "'a.b\\x00.test' is not a host"},
        {"[[allow]]\nhosts = [\"localhost\"]", 5, 10, "it has no dot"},
        {"[[allow]]\nhosts = [\"*.com\"]", 5, 10, "takes in everybody"},
        {"[[allow]]\nhosts = [\"**.com\"]", 5, 10, "takes in everybody"},
        {"[[allow]]\nhosts = [\"*\"]", 5, 10, "only wildcard"},
        {"[[allow]]\nhosts = [\"a*.test.com\"]", 5, 10, "only wildcard"},
        {"[[allow]]\nhosts = [\"*.192.0.2.1\"]", 5, 10, "an address has no wildcard"},
        {"[[allow]]\nhosts = [\"a..b\"]", 5, 10, "is not a host"},
        {"[[allow]]\nhosts = [\"8.8.8.8\"]", 5, 10, "TLS clients send no server name"},
        {"[[allow]]\nprotocol = \"tcp\"\nports = [22]\nhosts = [\"10.0.0.1\"]", 7, 10, "use a [[private_link]]"},
        {"[[allow]]\nprotocol = \"tcp\"\nports = [22]\nhosts = [\"169.254.169.254\"]", 7, 10, "is metadata"},
        {"[[private_link]]\nprotocol = \"tcp\"\nports = [22]\nhosts = [\"169.254.169.254\"]", 7, 10, "is metadata"},
        {"[[allow]]\nprotocol = \"tcp\"\nports = [22]\nhosts = [\"*.a.b\"]", 7, 10, "raw TCP shows no name"},
        {"[[allow]]\nname = \"a\"\nprotocol = \"tcp\"\nhosts = [\"a.b\"]", 4, 1, "has no usual port; add ports = [22]"},
        {"[[allow]]\nprotocol = \"https\"", 5, 12,
         "'https' is called tls here, which is also what holds without 'protocol'; write protocol"},
        {"[[allow]]\npurpose = \"fetch\"", 5, 11, "'pull', 'api', 'telemetry' or 'push'"},
        {"[[allow]]\nech = true", 5, 7, "must be text, not true or false"},
        {"[[allow]]\nprotocol = \"http\"\nech = \"allow\"", 6, 7, "'ech' is for"},
        {"[[allow]]\nnames = 0", 5, 9, "from 1 to 10000"},
        {"[[allow]]\nnames = 10001", 5, 9, "from 1 to 10000"},
        {"[[allow]]\nnames = \"100/24h\"", 5, 9, "must be a whole number"},
        {"[[deny]]\nnames = 5", 5, 1, "unknown key 'names'"},
        {"[[allow]]\nports = []", 5, 9, "'ports' is empty"},
        {"[[allow]]\nports = 443", 5, 9, "must be a list of port numbers"},
        {"[[allow]]\nports = [0]", 5, 10, "not a port"},
        {"[[allow]]\nports = [443, 65536]", 5, 15, "not a port"},
        {"[[allow]]\nports = [\"443\"]", 5, 10, "not a port"},
        {"[[allow]]\nports = [443, 443]", 5, 15, "is listed twice"},
        {"[[allow]]\ngroups = []", 5, 10, "'groups' is empty"},
        {"[[allow]]\ngroups = [\"trainig\"]", 5, 11, "there is no group 'trainig'; did you mean 'training'?"},
        {"[[allow]]\ngroups = [\"batch\"]", 5, 11, "add [groups."},
        {"[[allow]]\nexpires = 2026-12-24T00:00:00", 5, 11, "write it with a Z"},
        {"[[allow]]\nexpires = 2026-12-24", 5, 11, "must be a date and time, not a date without a time"},
        {"[[allow]]\nexpires = \"2026-12-24T00:00:00Z\"", 5, 11, "must be a date and time, not text"},
        {"[[allow]]\nupload = \"50 MiB/2h\"", 5, 10, "a window that is not kept"},
        {"[[allow]]\nupload = [\"50 MiB/1h\", \"5 MiB/1h\"]", 5, 24, "a second budget for this window"},
        {"[[allow]]\nupload = []", 5, 10, "'upload' is empty"},
        {"[[allow]]\npurpose = \"push\"", 4, 1, "it needs 'upload'"},
        {"[[allow]]\npurpose = \"push\"", 4, 1, "it needs 'expires'"},
        {"[[allow]]\nupload = \"50 MB\"", 5, 10, "not a budget"},
        {"[[allow]]\nupload = 50", 5, 10, "must be text"},
        {"[[allow]]\non_budget = \"cutt\"", 5, 13, "did you mean 'cut'"},
        {"[[allow]]\nshared_suffix = \"\"", 5, 17, "'shared_suffix' is empty; write shared_suffix = \"our own"},
        {"[[allow]]\nhosts = [\"*.blob.core.windows.net\"]", 5, 10, "takes in every tenant's host"},
        {"[[allow]]\nhosts = [\"*.co.uk\"]", 5, 10, "is a public suffix"},
        {"[[private_link]]\nhosts = [\"**.windows.net\"]", 5, 10, "takes in every tenant's host"},
        {"[[allow]]\nowner = \"a\\nb\"", 5, 9, "control character"},
        {"[[allow]]\nreason = \"\"", 5, 10, "is empty"},
        {"[[allow]]\nwithin = [\"10.0.0.0/8\"]", 5, 1, "unknown key 'within' in [[allow]]"},
        {"[[allow]]\nhosts_file = \"/etc/passwd\"", 5, 14, "leads out of the allowlist's directory"},
        {"[[allow]]\nhosts_file = \"../names.txt\"", 5, 14, "leads out of the allowlist's directory"},
        {"[[allow]]\nhosts_file = \"a/../../names.txt\"", 5, 14, "leads out of the allowlist's directory"},
        {"[[private_link]]\nname = \"l\"\nhosts = [\"a.b\"]", 4, 1, "neither 'within' nor 'addresses'"},
        {"[[private_link]]\nwithin = []", 5, 10, "'within' is empty"},
        {"[[private_link]]\nwithin = [\"10.0.0.1/8\"]", 5, 11, "not a network"},
        {"[[private_link]]\nwithin = [\"127.0.0.0/8\"]", 5, 11, "pin single loopback addresses"},
        {"[[private_link]]\nwithin = [\"::1\"]", 5, 11, "pin single loopback addresses"},
        {"[[private_link]]\nwithin = [\"169.254.0.0/16\"]", 5, 11, "which no entry opens"},
        {"[[private_link]]\nwithin = [\"0.0.0.0/0\"]", 5, 11, "takes in"},
        {"[[private_link]]\nwithin = [\"224.0.0.0/4\"]", 5, 11, "which no entry opens"},
        {"[[private_link]]\nwithin = [\"::/0\"]", 5, 11, "takes in every IPv4 address too"},
        {"[[private_link]]\naddresses = [\"169.254.169.254\"]", 5, 14, "is metadata, which no entry opens"},
        {"[[private_link]]\naddresses = [\"fe80::1\"]", 5, 14, "is link_local, which no entry opens"},
        {"[[private_link]]\naddresses = [\"0.0.0.0\"]", 5, 14, "is unspecified, which no entry opens"},
        {"[[private_link]]\naddresses = [\"10.0.0.0/8\"]", 5, 14, "not an address"},
        {"[[private_link]]\nwithin = [\"10.0.0.0/8\"]\naddresses = [\"192.168.0.1\"]", 6, 14, "does not lie in 'within'"},
        {"[[deny]]\nprotocol = \"tls\"", 5, 1, "unknown key 'protocol' in [[deny]]"},
        {"[[deny]]\nexpires = 2026-12-24T00:00:00Z", 5, 1, "unknown key 'expires' in [[deny]]"},
        {"[groups.eval]", 4, 1, "'sources' is missing in [groups.eval]"},
        {"[groups.eval]\nsources = []", 5, 11, "'sources' is empty"},
        {"[groups.eval]\nsources = [\"10.42.0.1/16\"]", 5, 12, "bits behind the prefix are set; write \"10.42.0.0/16\""},
        {"[groups.eval]\nsources = [\"::/0\"]", 5, 12, "takes in every IPv4 address too"},
        {"[groups.eval]\nsources = [\"pod\"]", 5, 12, "not a network"},
        {"[groups.eval]\nsources = [\"10.0.0.1\"]\nidentities = [\"spiffe://x/y\"]", 6, 14, "not enforced by this version"},
        {"[groups.Eval]\nsources = [\"10.0.0.1\"]", 4, 9, "cannot be a group's name"},
        {"[groups.training]", 4, 1, "keep only one"},
        {"[defaults]\nupload = \"10 GiB/25h\"", 5, 10, "a window that is not kept"},
        {"[defaults]\nports = [443]", 5, 1, "unknown key 'ports' in [defaults]"},
        {"[[expect]]\nclient = \"10.42.0.1\"\ntarget = \"ok.test:443\"", 4, 1, "'verdict' is missing in [[expect]]"},
        {"[[expect]]\nverdict = \"alow\"", 5, 11, "did you mean 'allow'?"},
        {"[[expect]]\nverdict = \"sni_mismatch\"", 5, 11, "must be"},
        {"[[expect]]\nclient = \"pod-1\"", 5, 10, "not an address"},
        {"[[allow]\n", 4, 9, "close it with ]]"},
        {"[[allow]]\nname = a", 5, 8, ""},
        {"[[allow]]\nhosts = [\"a.b\"", 5, 16, "may be cut off"},
    };
    static_assert(std::size(snippets) >= 60);
    for (const auto& bad : snippets) {
        const auto loaded = load(std::string{least} + std::string{bad.text} + "\n");
        CHECK_FALSE(loaded.rules);
        check_complaint(bad, loaded.problems);
    }
}

TEST_CASE("wrong settings at the top are errors at their place")
{
    constexpr bad_snippet snippets[] = {
        {"serial = -1", 1, 10, "from 0 to"},
        {"serial = \"1\"", 1, 10, "must be a whole number"},
        {"serail = 1", 1, 1, "did you mean 'serial'?"},
        {"serial = 1\nmode = \"reprot\"", 2, 8, "did you mean 'report'?"},
        {"serial = 1\nmode = \"report\"", 2, 8, "add report_until"},
        {"serial = 1\nmode = \"report\"\nreport_until = 2026-06-15T00:00:01Z", 3, 16, "more than 14 days ahead"},
        {"serial = 1\nexpires = 2026-12-24T00:00:00", 2, 11, "write it with a Z"},
        {"serial = 1\ndeny_help = \"\\u001b[31m\"", 2, 13, "control character"},
        {"serial = 1\ngroups = 3", 2, 10, "must be a table"},
        {"serial = 1\nallow = [1]", 2, 10, "write [[allow]]"},
        {"[groups]\ntraining = 3", 2, 1, "a group is a table"},
    };
    for (const auto& bad : snippets) {
        const auto loaded = load(bad.text);
        CHECK_FALSE(loaded.rules);
        check_complaint(bad, loaded.problems);
    }
}

TEST_CASE("whatever a file holds, what is said of its syntax is one line without control characters")
{
    for (int octet = 1; octet < 256; ++octet) {
        for (const auto& text :
             {"2rl=i" + std::string(1, static_cast<char>(octet)), "a = \"" + std::string(1, static_cast<char>(octet)),
              std::string(1, static_cast<char>(octet)) + " = x\n", "2" + std::string(1, static_cast<char>(octet)),
              "a = " + std::string(1, static_cast<char>(octet)) + "b\"\n",
              fmt::format("[[allow]]\nname = \"a\"\nhosts = [\"e\\u{:04x}t.test\"]\ngroups = [\"\\u{:04x}\"]\n", octet, octet)}) {
            CAPTURE(octet);
            const auto complaint = text_of(load(text).problems);
            REQUIRE(std::count(complaint.begin(), complaint.end(), '\n') == static_cast<std::ptrdiff_t>(load(text).problems.size()));
            REQUIRE(std::none_of(complaint.begin(), complaint.end(),
                                 [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == '\x7f'; }));
        }
    }
}
