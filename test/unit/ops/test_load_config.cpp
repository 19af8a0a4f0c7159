#include "../core/repository.hpp"
#include "bad_snippet.hpp"
#include "temporary_directory.hpp"

#include <exeat/limits.hpp>
#include <ops/settings/load_config.hpp>
#include <ops/text/exeat_toml_keys.hpp>

using namespace exeat;
using namespace std::chrono_literals;
using ops::load_config;

namespace {

constexpr std::string_view least = "[[listen]]\nmode = \"proxy\"\naddress = \"127.0.0.1:3128\"\n[policy]\nallowlist = \"list.toml\"\n";

ops::loaded_config load(std::string_view text)
{
    const temporary_directory d;
    return load_config(d.write("exeat.toml", text));
}

} // namespace

TEST_CASE("the shortest file that serves takes the defaults that are promised")
{
    const temporary_directory d;
    const auto loaded = load_config(d.write("exeat.toml", least));
    REQUIRE(loaded.value);
    CHECK(loaded.problems.empty());
    const auto& c = *loaded.value;
    CHECK(c.listeners.size() == 1);
    CHECK(c.listeners[0].name() == "proxy 127.0.0.1:3128");
    CHECK(c.admin.to_string() == "127.0.0.1:9464");
    CHECK(c.allowlist == d.path("list.toml"));
    CHECK(c.audit_path == "/var/log/exeat/audit.jsonl");
    CHECK(c.on_audit_failure == audit_failure::deny);
    CHECK(c.rotation.max_size == 0);
    CHECK(c.rotation.keep == 10);
    CHECK(c.rates == client_rate_limits{1'000, 2'000, 200, 1'000});
    CHECK(c.dns_servers.empty());
    CHECK(c.dns_timeout == 2s);
    CHECK(c.workers >= 1);
    CHECK(c.workers <= limits::workers);
    CHECK(c.connections == 50'000);
    CHECK(c.connections_per_source == 4'096);
    CHECK(c.head_timeout == 10s);
    CHECK(c.hello_timeout == 5s);
    CHECK(c.connect_timeout == 5s);
    CHECK(c.idle_timeout == 1h);
    CHECK(c.drain_timeout == 30s);
    CHECK(c.listeners[0].socket == "proxy");
    CHECK(c.listeners[0].senders.empty());
    CHECK(c.network.site.internal.empty());
    CHECK_FALSE(c.network.site.nat64.has_value());
    CHECK(c.network.client_prefix == 64);
    CHECK(c.sandbox.system_calls);
    CHECK(c.sandbox.files);
    CHECK_FALSE(c.sandbox.root_expected);
}

TEST_CASE("every key is read into its setting")
{
    const auto loaded = load(R"([[listen]]
mode = "transparent"
via = "tproxy"
address = "[::1]:8443"
[[listen]]
mode = "sni"
address = "127.0.0.1:443"
port = 8443
name = "names.by-dns"
proxy_protocol_from = ["10.0.3.0/28", "fd00:3::1"]
[[listen]]
mode = "sni"
address = "127.0.0.2:443"
[admin]
address = "127.0.0.1:1"
[policy]
allowlist = "/a/b.toml"
trusted_keys = []
approvals = 0
state = "/s"
[dns]
servers = ["192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:54", "2001:db8::2"]
timeout = "250ms"
[network]
internal = ["20.40.0.0/16", "2a00:1450::/32"]
nat64 = "64:ff9b:1:100::/56"
client_prefix = 48
[audit]
path = "stdout"
on_failure = "continue"
[limits]
workers = 3
connections = 5
connections_per_source = 4
head_timeout = "1s"
hello_timeout = "2s"
connect_timeout = "3s"
idle_timeout = "7d"
drain_timeout = "5m"
connections_per_second = 11
requests_per_second = 12
refusals_per_second = 13
log_lines_per_second = 14
[sandbox]
system_calls = "off"
files = "off"
root = "allow"
read = ["/srv/lists"]
[detect.drip]
action = "throttle"
rate = "5 MiB/90s"
threshold = 7
[detect.beacon]
action = "cut"
)");
    REQUIRE(loaded.value);
    const auto& c = *loaded.value;
    CHECK(c.listeners[0].mode == listen_mode::transparent);
    CHECK(c.listeners[0].via == intercept::tproxy);
    CHECK(c.listeners[0].address.to_string() == "[::1]:8443");
    CHECK(c.listeners[1].mode == listen_mode::sni);
    CHECK(c.listeners[1].port == 8443);
    CHECK(c.listeners[2].port == 443);
    CHECK(c.admin.port == 1);
    CHECK(c.allowlist == "/a/b.toml");
    CHECK(c.state == "/s");
    REQUIRE(c.dns_servers.size() == 4);
    CHECK(c.dns_servers[0].to_string() == "192.0.2.1:53");
    CHECK(c.dns_servers[1].to_string() == "192.0.2.1:5353");
    CHECK(c.dns_servers[2].to_string() == "[2001:db8::1]:54");
    CHECK(c.dns_servers[3].to_string() == "[2001:db8::2]:53");
    CHECK(c.dns_timeout == 250ms);
    REQUIRE(c.network.site.internal.size() == 2);
    CHECK(c.network.site.internal[0].to_string() == "20.40.0.0/16");
    CHECK(c.network.site.internal[1].to_string() == "2a00:1450::/32");
    REQUIRE(c.network.site.nat64.has_value());
    CHECK(c.network.site.nat64->to_string() == "64:ff9b:1:100::/56");
    CHECK(c.network.client_prefix == 48);
    CHECK(c.audit_path == "stdout");
    CHECK(c.on_audit_failure == audit_failure::proceed);
    CHECK(c.workers == 3);
    CHECK(c.connections == 5);
    CHECK(c.connections_per_source == 4);
    CHECK(c.rates == client_rate_limits{11, 12, 13, 14});
    CHECK(c.head_timeout == 1s);
    CHECK(c.hello_timeout == 2s);
    CHECK(c.connect_timeout == 3s);
    CHECK(c.idle_timeout == std::chrono::days{7});
    CHECK(c.drain_timeout == 5min);
    CHECK(c.listeners[0].socket == "transparent");
    CHECK(c.listeners[0].senders.empty());
    CHECK(c.listeners[1].socket == "names.by-dns");
    REQUIRE(c.listeners[1].senders.size() == 2);
    CHECK(c.listeners[1].senders[0].to_string() == "10.0.3.0/28");
    CHECK_FALSE(c.sandbox.system_calls);
    CHECK_FALSE(c.sandbox.files);
    CHECK(c.sandbox.root_expected);
    CHECK(c.sandbox.read == std::vector<std::string>{"/srv/lists"});
    const auto drip = static_cast<std::size_t>(detect::detector::drip), beacon = static_cast<std::size_t>(detect::detector::beacon);
    CHECK(c.detect.actions[drip] == detector_action::throttle);
    CHECK(c.detect.rates[drip] == upload_rate{5 << 20, 90s});
    CHECK(c.detect.than.drip_bytes == 7);
    CHECK(c.detect.actions[beacon] == detector_action::cut);
    CHECK(c.detect.rates[beacon] == upload_rate{1 << 20, 1min});
    CHECK(c.detect.actions[0] == detector_action::observe);
}

TEST_CASE("a default that the table of keys says is the one that holds without the key")
{
    const temporary_directory d;
    const auto loaded = [&](const std::string& more) {
        auto c = load_config(d.write("exeat.toml", std::string{least} + more)).value;
        REQUIRE_MESSAGE(c.has_value(), more);
        return *c;
    };
    const auto usual = loaded("");
    std::size_t checked = 0;
    for (const auto& t : ops::exeat_toml::tables)
        for (const auto& k : t.keys) {
            const bool quoted = k.example.starts_with('"'), list = k.example.starts_with('[') || k.example.starts_with('{');
            const bool prose = k.standard.starts_with("required") || k.standard.find_first_of(", ") != k.standard.npos;
            if (list || prose || k.standard == "none" || t.title == "[[listen]]" || t.title == "[policy]" || t.title == "[detect.NAME]")
                continue;
            INFO(t.title, " ", k.name);
            const auto* around = k.name == "keep"            ? "max_size = \"1 MiB\"\n"
                                 : t.title == "[kubernetes]" ? "networks = [\"10.244.0.0/16\"]\npods_file = \"pods.jsonl\"\n"
                                                             : "";
            const auto value = quoted ? "\"" + std::string{k.standard} + "\"" : std::string{k.standard};
            const auto begun = std::string{t.title} + "\n" + around;
            CHECK(loaded(begun + std::string{k.name} + " = " + value + "\n") == loaded(begun));
            ++checked;
        }
    CHECK(checked >= 20);
    CHECK(loaded("[detect.drip]\naction = \"observe\"\n") == usual);
    CHECK(loaded("[detect.drip]\naction = \"throttle\"\nrate = \"1 MiB/1m\"\n") == loaded("[detect.drip]\naction = \"throttle\"\n"));
}

TEST_CASE("every wrong exeat.toml is an error with its line, its column and a fix")
{
    // each follows the shortest file that serves, so its own lines start at 6
    constexpr bad_snippet snippets[] = {
        {"[lmits]", 6, 2, "unknown key 'lmits' at the top level; did you mean 'limits'?"},
        {"[limits]\nworker = 1", 7, 1, "unknown key 'worker' in [limits]; did you mean 'workers'?"},
        {"[limits]\nfrobnicate = 1", 7, 1, "unknown key 'frobnicate' in [limits]; remove it, or write one of"},
        {"[limits]\nworkers = -1", 7, 11, "write a number from 0 to 256"},
        {"[limits]\nworkers = 257", 7, 11, "write a number from 0 to 256"},
        {"[limits]\nworkers = \"2\"", 7, 11, "must be a whole number, not text; write workers = 2"},
        {"[limits]\nworkers = 1.5", 7, 11, "must be a whole number, not a number with a fraction"},
        {"[limits]\nconnections = 0", 7, 15, "write a number from 1 to"},
        {"[limits]\nconnections = 99999999999999999999", 7, 35, "not representable"},
        {"[limits]\nhead_timeout = 10", 7, 16, "write it with a unit (ms s m h d): head_timeout = \"10s\""},
        {"[limits]\nhead_timeout = \"10\"", 7, 16, "not a duration"},
        {"[limits]\nhead_timeout = \"10 s\"", 7, 16, "not a duration"},
        {"[limits]\nhead_timeout = \"-1s\"", 7, 16, "not a duration"},
        {"[limits]\nhead_timeout = \"1.5s\"", 7, 16, "not a duration"},
        {"[limits]\nhead_timeout = \"1h30m\"", 7, 16, "not a duration"},
        {"[limits]\nhead_timeout = \"0s\"", 7, 16, "write a duration from 1ms to 5m"},
        {"[limits]\nhello_timeout = \"6m\"", 7, 17, "write a duration from 1ms to 5m"},
        {"[limits]\nidle_timeout = \"8d\"", 7, 16, "write a duration from 1ms to 7d"},
        {"[limits]\ndrain_timeout = true", 7, 17, "must be a duration, not true or false"},
        {"[limits]\nworkers = 1\nworkers = 2", 8, 11, "keep only one"},
        {"[limits]\n[limits]", 7, 1, "keep only one"},
        {"limits = 3", 6, 1, "unknown key 'limits' in [policy]"},
        {"[[limits]]", 6, 1, "'limits' must be a table, not a list"},
        {"[listen]\nmode = \"proxy\"", 6, 1, "write [[listen]] in double brackets"},
        {"[[listen]]\naddress = \"127.0.0.1:1\"", 6, 1, "'mode' is missing in [[listen]]; add mode"},
        {"[[listen]]\nmode = \"proxy\"", 6, 1, "'address' is missing in [[listen]]; add address"},
        {"[[listen]]\nmode = \"prox\"", 7, 8, "did you mean 'proxy'?"},
        {"[[listen]]\nmode = \"forward\"", 7, 8, "'proxy', 'transparent' or 'sni', not 'forward'"},
        {"[[listen]]\nmode = 1", 7, 8, "must be text"},
        {"[[listen]]\naddress = \"3128\"", 7, 11, "not an address and port; write address = \"127.0.0.1:3128\""},
        {"[[listen]]\naddress = \"127.0.0.1\"", 7, 11, "not an address and port; write address = \"127.0.0.1:3128\""},
        {"[[listen]]\naddress = \"localhost:3128\"", 7, 11, "not an address and port; write address = \"127.0.0.1:3128\""},
        {"[[listen]]\naddress = \"127.0.0.1:0\"", 7, 11, "not an address and port"},
        {"[[listen]]\naddress = \"127.0.0.1:65536\"", 7, 11, "not an address and port; write address = \"127.0.0.1:3128\""},
        {"[[listen]]\naddress = \"::1:80\"", 7, 11, "not an address and port"},
        {"[[listen]]\naddress = \"[127.0.0.1]:80\"", 7, 11, "not an address and port"},
        {"[[listen]]\nmode = \"proxy\"\naddress = \"127.0.0.1:3128\"", 8, 11, "taken by another [[listen]]"},
        {"[[listen]]\nmode = \"proxy\"\naddress = \"0.0.0.0:3128\"", 8, 11, "taken by another [[listen]]"},
        {"[[listen]]\nmode = \"proxy\"\naddress = \"127.0.0.1:9464\"\n[admin]", 9, 1, "taken by a [[listen]]"},
        {"[[listen]]\nmode = \"proxy\"\nvia = \"tproxy\"", 8, 7, "'via' is for"},
        {"[[listen]]\nmode = \"proxy\"\nport = 443", 8, 8, "'port' is for"},
        {"[[listen]]\nmode = \"sni\"\nport = 0", 8, 8, "from 1 to 65535"},
        {"[[listen]]\nmode = \"proxy\"\nname = \"Pods\"", 8, 8, "not the name of a socket"},
        {"[[listen]]\nmode = \"proxy\"\nname = \"a:b\"", 8, 8, "not the name of a socket"},
        {"[[listen]]\nmode = \"proxy\"\nname = \"admin\"", 8, 8, "choose another"},
        {"[[listen]]\nproxy_protocol_from = []", 7, 23, "is empty"},
        {"[[listen]]\nproxy_protocol_from = \"10.0.3.1\"", 7, 23, "must be a list of text"},
        {"[[listen]]\nproxy_protocol_from = [\"balancer\"]", 7, 24, "is not a network"},
        {"[[listen]]\nproxy_protocol_from = [\"10.0.3.1/24\"]", 7, 24, "bits behind the prefix are set"},
        {"[[listen]]\nproxy_protocol_from = [\"0.0.0.0/0\"]", 7, 24, "lets anybody say who they are"},
        {"[[listen]]\nproxy_protocol_from = [\"::/0\"]", 7, 24, "takes in every IPv4 address too"},
        {"[sandbox]\nsystem_calls = \"on\"", 7, 16, "'restrict' or 'off'"},
        {"[sandbox]\nfiles = false", 7, 9, "must be text"},
        {"[sandbox]\nroot = \"yes\"", 7, 8, "'warn' or 'allow'"},
        {"[sandbox]\nread = [\"\"]", 7, 9, "is not a path"},
        {"[sandbox]\nwrite = []", 7, 1, "unknown key 'write' in [sandbox]"},
        {"[[listen]]\nmode = \"proxy\"\ntls = { certificate = \"a\" }", 8, 7, "not enforced by this version; remove it"},
        {"audience = \"a\"\ntrusted_keys = [\"k.pem\"]", 7, 16, "approved lists need 'state'"},
        {"state = \"s\"\ntrusted_keys = [\"k.pem\"]", 7, 16, "approved lists need 'audience'"},
        {"audience = \"Prod\"", 6, 12, "is not the name of an environment"},
        {"grant_for = \"1h\"", 6, 13, "add them, or remove it"},
        {"grant_for = \"32d\"", 6, 13, "from 1m to 31d"},
        {"trusted_keys = \"k.pem\"", 6, 16, "must be a list of text"},
        {"trusted_keys = [1]", 6, 17, "is a list of text, and this is a whole number"},
        {"approvals = 2", 6, 13, "'trusted_keys' names 0, so no list could have 2 approvals"},
        {"state = \"s\"\naudience = \"a\"\ntrusted_keys = [\"k.pem\"]\napprovals = 2", 9, 13, "add keys or ask for fewer"},
        {"approvals = -1", 6, 13, "from 0 to"},
        {"state = \"\"", 6, 9, "is empty"},
        {"state = \"a\\nb\"", 6, 9, "control character"},
        {"[dns]\nservers = [\"dns.google\"]", 7, 12, "not a DNS server"},
        {"[dns]\nservers = [\"192.0.2.1\", \"192.0.2.1:53\"]", 7, 25, "is listed twice"},
        {"[dns]\nservers = \"192.0.2.1\"", 7, 11, "must be a list of text"},
        {"[dns]\nservers = "
         "[\"192.0.2.1\",\"192.0.2.2\",\"192.0.2.3\",\"192.0.2.4\",\"192.0.2.5\",\"192.0.2.6\",\"192.0.2.7\",\"192.0.2.8\",\"192.0.2.9\"]",
         7, 11, "write 8 at most"},
        {"[dns]\ntimeout = \"61s\"", 7, 11, "from 1ms to 1m"},
        {"[audit]\non_failure = \"proceed\"", 7, 14, "'deny' or 'continue'"},
        {"[audit]\nmax_size = \"1 MB\"", 7, 12, "is not a size from 1 MiB to 1 TiB"},
        {"[audit]\nmax_size = \"1023 KiB\"", 7, 12, "is not a size from 1 MiB to 1 TiB"},
        {"[audit]\nmax_size = 100", 7, 12, "must be text, not a whole number"},
        {"[audit]\npath = \"stdout\"\nmax_size = \"1 MiB\"", 8, 12, "is for a log that is a file"},
        {"[audit]\nkeep = 3", 7, 8, "'keep' is for a log with 'max_size'"},
        {"[audit]\nmax_size = \"1 MiB\"\nkeep = 0", 8, 8, "from 1 to 1000"},
        {"[limits]\nrefusals_per_second = 0", 7, 23, "from 1 to 1000000"},
        {"[audit]\npath = []", 7, 8, "must be text, not a list"},
        {"[admin]\naddress = 9464", 7, 11, "must be text, not a whole number"},
        {"[admin]\naddress = \"nine\"", 7, 11, "not an address and port"},
        {"[admin]\nnames = \"exeat.test\"", 7, 9, "must be a list of text"},
        {"[admin]\nnames = [\"exeat.test:9464\"]", 7, 10, "leave the port away"},
        {"[admin]\nnames = [\"*.exeat.test\"]", 7, 10, "without '*'"},
        {"[admin]\nnames = [\"10.0.0.1\"]", 7, 10, "by its address this listener always answers"},
        {"[admin]\nnames = [\"[::1]\"]", 7, 10, "by its address this listener always answers"},
        {"[admin]\nnames = [\"\"]", 7, 10, "is not the name of a host"},
        {"[admin]\nnames = [\"http://exeat.test/\"]", 7, 10, "is not the name of a host"},
        {"[admin]\nnames = [\"b\u00fccher.test\"]", 7, 10, "ASCII only"},
        {"require_end = \"yes\"", 6, 15, "must be true or false"},
        {"x = \"open", 6, 5, ""},
        {"x = \xff", 6, 4, "save the file as UTF-8"},
    };
    for (const auto& bad : snippets) {
        const auto loaded = load(std::string{least} + std::string{bad.text} + "\n");
        CHECK_FALSE(loaded.value);
        check_complaint(bad, loaded.problems);
    }
}

TEST_CASE("every wrong network of the site is an error with its line, its column and a fix")
{
    constexpr bad_snippet snippets[] = {
        {"[network]\ninternal = [\"203.0.113.1/24\"]", 7, 13, "is not a network"},
        {"[network]\ninternal = [\"site\"]", 7, 13, "is not a network"},
        {"[network]\ninternal = [\"::/0\"]", 7, 13, "takes in every IPv4 address too"},
        {"[network]\ninternal = [\"0.0.0.0/0\"]", 7, 13, "is all of IPv4"},
        {"[network]\ninternal = [\"20.1.0.0/16\", \"20.1.0.0/16\"]", 7, 28, "is listed twice"},
        {"[network]\ninternal = []", 7, 12, "'internal' is empty"},
        {"[network]\ninternal = \"20.1.0.0/16\"", 7, 12, "must be a list of text"},
        {"[network]\nnat64 = 96", 7, 9, "must be text"},
        {"[network]\nnat64 = \"64:ff9b::\"", 7, 9, "is not a NAT64 prefix"},
        {"[network]\nnat64 = \"2001:db8::/33\"", 7, 9, "of 32, 40, 48, 56, 64 or 96 bits"},
        {"[network]\nnat64 = \"2001:db8::/72\"", 7, 9, "is not a NAT64 prefix"},
        {"[network]\nnat64 = \"2001:db8::1/96\"", 7, 9, "host bits zero"},
        {"[network]\nnat64 = \"10.0.0.0/8\"", 7, 9, "is not a NAT64 prefix"},
        {"[network]\nnat64 = \"::ffff:0:0/96\"", 7, 9, "is not a NAT64 prefix"},
        {"[network]\nnat64 = \"2001:db8:0:0:100::/96\"", 7, 9, "bits 64 to 71"},
        {"[network]\nnat64 = \"fe80::/64\"", 7, 9, "where no NAT64 translator can be"},
        {"[network]\nnat64 = \"::/96\"", 7, 9, "where no NAT64 translator can be"},
        {"[network]\nnat64 = \"2002:c000:204::/48\"", 7, 9, "where no NAT64 translator can be"},
        {"[network]\nnat64 = \"2001::/32\"", 7, 9, "where no NAT64 translator can be"},
        {"[network]\nnat64 = \"64:ff9b::/64\"", 7, 9, "where no NAT64 translator can be"},
        {"[network]\nnat64 = \"64:ff9b::/32\"", 7, 9, "where no NAT64 translator can be"},
        {"[network]\nclient_prefix = 47", 7, 17, "write a number from 48 to 128"},
        {"[network]\nclient_prefix = 129", 7, 17, "write a number from 48 to 128"},
        {"[network]\nclient_prefix = \"/64\"", 7, 17, "must be a whole number"},
        {"[network]\nintern = []", 7, 1, "did you mean 'internal'?"},
    };
    for (const auto& bad : snippets) {
        const auto loaded = load(std::string{least} + std::string{bad.text} + "\n");
        CHECK_FALSE(loaded.value);
        check_complaint(bad, loaded.problems);
    }
    for (const auto* prefix :
         {"64:ff9b::/96", "64:ff9b:1::/48", "64:ff9b:1:ffff::/64", "64:ff9b:1:2::/96", "2a00:1450::/32", "fd00:64::/96"})
        CHECK_MESSAGE(load(std::string{least} + "[network]\nnat64 = \"" + prefix + "\"\n").value, prefix);
}

TEST_CASE("what must be there and is not is said")
{
    CHECK_FALSE(load("").value);
    check_complaint({"", 1, 1, "there is no [[listen]]"}, load("").problems);
    check_complaint({"", 1, 1, "there is no [policy]"}, load("").problems);
    check_complaint({"", 1, 1, "'allowlist' is missing in [policy]"}, load("[policy]\n").problems);
}

TEST_CASE("everything wrong is told at once, from the top to the bottom")
{
    const auto loaded = load("[limits]\nworkers = -1\nidle_timeout = 5\nx = 1\n[[listen]]\n");
    REQUIRE(loaded.problems.size() == 6);
    for (std::size_t i = 1; i < loaded.problems.size(); ++i) CHECK(loaded.problems[i - 1].line <= loaded.problems[i].line);
}

TEST_CASE("what is no readable file is an error, not an exception")
{
    const temporary_directory d;
    for (const auto& path : {d.path("absent.toml"), d.path("")}) {
        const auto loaded = load_config(path);
        CHECK_FALSE(loaded.value);
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].text.find(';') != std::string::npos);
    }
    CHECK(load_config(d.path("")).problems[0].text.find("directory") != std::string::npos);
    CHECK(load(std::string(limits::config_bytes + 1, '#')).problems[0].text.find("larger than 1 MiB") != std::string::npos);
    CHECK(load(std::string{least} + std::string("\0", 1)).problems[0].text.find("NUL") != std::string::npos);
}

TEST_CASE("the example that we ship loads")
{
    const auto loaded = load_config((test::repository() / "conf/exeat.toml").string());
    std::string all;
    for (const auto& p : loaded.problems) all += p.to_string() + "\n";
    CHECK_MESSAGE(loaded.value, all);
    CHECK_MESSAGE(loaded.problems.empty(), all);
}
