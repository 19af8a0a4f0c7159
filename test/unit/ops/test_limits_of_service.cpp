// Bounds of exeat.toml and of the audit log's text at their value and one beyond.
#include "small_allowlist.hpp"

#include <ops/audit/journal.hpp>
#include <ops/settings/load_config.hpp>

#include <memory>

using namespace exeat;
using namespace exeat::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view shortest = "[[listen]]\nmode = \"proxy\"\naddress = \"127.0.0.1:3128\"\n[policy]\nallowlist = \"list.toml\"\n";

bool takes(std::string_view text)
{
    const temporary_directory d;
    return ops::load_config(d.write("exeat.toml", text)).value.has_value();
}

bool takes_with(const std::string& lines) { return takes(std::string{shortest} + lines + "\n"); }

std::string time(std::string_view key, std::chrono::milliseconds t)
{
    return std::string{key} + " = \"" + std::to_string(t.count()) + "ms\"";
}

} // namespace

TEST_CASE("exeat.toml has so many bytes, and so many listeners")
{
    const auto sized = [](std::size_t n) { return std::string{shortest} + '#' + std::string(n - shortest.size() - 1, 'x'); };
    CHECK(takes(sized(limits::config_bytes)));
    CHECK_FALSE(takes(sized(limits::config_bytes + 1)));

    const auto listening = [](std::size_t n) {
        std::string out{shortest};
        for (std::size_t i = 1; i < n; ++i)
            out += "[[listen]]\nmode = \"proxy\"\naddress = \"127.0.0.1:" + std::to_string(10'000 + i) + "\"\n";
        return out;
    };
    CHECK(takes(listening(limits::listeners)));
    CHECK_FALSE(takes(listening(limits::listeners + 1)));
}

TEST_CASE("the bounds of a rotated log are read, and beyond them is an error")
{
    const auto size = [](std::uint64_t n, std::string_view unit) {
        return "[audit]\nmax_size = \"" + std::to_string(n) + " " + std::string{unit} + "\"\n";
    };
    CHECK(takes_with(size(limits::audit_file_least / 1024, "KiB")));
    CHECK_FALSE(takes_with(size(limits::audit_file_least / 1024 - 1, "KiB")));
    CHECK(takes_with(size(limits::audit_file_most >> 20, "MiB")));
    CHECK_FALSE(takes_with(size((limits::audit_file_most >> 20) + 1, "MiB")));
    const auto keep = [&](std::size_t n) { return size(1, "MiB") + "keep = " + std::to_string(n); };
    CHECK(takes_with(keep(limits::audit_files)));
    CHECK_FALSE(takes_with(keep(limits::audit_files + 1)));
}

TEST_CASE("numbers of exeat.toml have their ceilings")
{
    for (const auto& [key, most] : {std::pair{"workers", limits::workers},
                                    {"connections", limits::connections},
                                    {"connections_per_source", limits::connections},
                                    {"requests_per_second", limits::client_rate_most}}) {
        CAPTURE(key);
        const auto line = [&, k = std::string{key}](std::size_t n) { return "[limits]\n" + k + " = " + std::to_string(n); };
        CHECK(takes_with(line(most)));
        CHECK_FALSE(takes_with(line(most + 1)));
    }
    const auto servers = [](std::size_t n) {
        std::string out = "[dns]\nservers = [";
        for (std::size_t i = 1; i <= n; ++i) out += "\"192.0.2." + std::to_string(i) + "\", ";
        return out + "]";
    };
    CHECK(takes_with(servers(limits::dns_servers)));
    CHECK_FALSE(takes_with(servers(limits::dns_servers + 1)));
    const auto senders = [](std::size_t n) {
        std::string out = "[[listen]]\nmode = \"proxy\"\naddress = \"127.0.0.1:1\"\nproxy_protocol_from = [";
        for (std::size_t i = 1; i <= n; ++i) out += "\"192.0.2." + std::to_string(i) + "\", ";
        return out + "]";
    };
    CHECK(takes_with(senders(limits::proxy_senders)));
    CHECK_FALSE(takes_with(senders(limits::proxy_senders + 1)));
    const auto readable = [](std::size_t n) {
        std::string out = "[sandbox]\nread = [";
        for (std::size_t i = 0; i < n; ++i) out += "\"/a\", ";
        return out + "]";
    };
    CHECK(takes_with(readable(limits::sandbox_paths)));
    CHECK_FALSE(takes_with(readable(limits::sandbox_paths + 1)));
    const auto internal = [](std::size_t n) {
        std::string out = "[network]\ninternal = [";
        for (std::size_t i = 0; i < n; ++i) out += "\"2600:" + std::to_string(i) + "::/32\", ";
        return out + "]";
    };
    CHECK(takes_with(internal(limits::internal_networks)));
    CHECK_FALSE(takes_with(internal(limits::internal_networks + 1)));
    const auto pods = [](std::size_t n) {
        std::string out = "[kubernetes]\npods_file = \"p\"\nnetworks = [";
        for (std::size_t i = 0; i < n; ++i) out += "\"10." + std::to_string(i) + ".0.0/16\", ";
        return out + "]";
    };
    CHECK(takes_with(pods(limits::pod_networks)));
    CHECK_FALSE(takes_with(pods(limits::pod_networks + 1)));
    const auto known_by = [](int bits) { return "[network]\nclient_prefix = " + std::to_string(bits); };
    CHECK(takes_with(known_by(limits::client_prefix_floor)));
    CHECK_FALSE(takes_with(known_by(limits::client_prefix_floor - 1)));
    CHECK(takes_with(known_by(128)));
    CHECK_FALSE(takes_with(known_by(129)));
    const auto path = [](std::size_t n) { return "[audit]\npath = \"/" + std::string(n - 1, 'a') + "\""; };
    CHECK(takes_with(path(limits::path_octets)));
    CHECK_FALSE(takes_with(path(limits::path_octets + 1)));
}

TEST_CASE("durations of exeat.toml have their ceilings to the millisecond")
{
    struct bound {
        std::string_view key;
        std::chrono::milliseconds most;
    };
    for (const auto& [key, most] : {bound{"head_timeout", limits::setup_timeout}, bound{"hello_timeout", limits::setup_timeout},
                                    bound{"connect_timeout", limits::setup_timeout}, bound{"idle_timeout", limits::idle_timeout},
                                    bound{"drain_timeout", limits::drain_timeout}}) {
        CAPTURE(key);
        CHECK(takes_with("[limits]\n" + time(key, most)));
        CHECK_FALSE(takes_with("[limits]\n" + time(key, most + 1ms)));
    }
    const auto pods = [](const std::string& line) { return "[kubernetes]\nnetworks = [\"10.0.0.0/8\"]\npods_file = \"p\"\n" + line; };
    CHECK(takes_with(pods(time("wait", limits::pod_wait_most))));
    CHECK_FALSE(takes_with(pods(time("wait", limits::pod_wait_most + 1ms))));
    CHECK(takes_with(pods(time("stale_after", limits::pods_stale_least))));
    CHECK_FALSE(takes_with(pods(time("stale_after", limits::pods_stale_least - 1ms))));
    CHECK(takes_with(pods(time("stale_after", limits::pods_stale_most))));
    CHECK_FALSE(takes_with(pods(time("stale_after", limits::pods_stale_most + 1ms))));
    CHECK(takes_with("[dns]\n" + time("timeout", limits::dns_timeout)));
    CHECK_FALSE(takes_with("[dns]\n" + time("timeout", limits::dns_timeout + 1ms)));
}

TEST_CASE("rates of exeat.toml have their ceilings")
{
    const auto rate = [](const std::string& r) { return "[detect.drip]\naction = \"throttle\"\nrate = \"" + r + "\""; };
    static_assert(limits::throttle_ceiling == 1 << 30 && limits::throttle_window == 24h);
    CHECK(takes_with(rate("1 GiB/1s")));
    CHECK_FALSE(takes_with(rate("1048577 KiB/1s")));
    CHECK(takes_with(rate("1 KiB/24h")));
    CHECK_FALSE(takes_with(rate("1 KiB/86400001ms")));
}

TEST_CASE("a process event's message is cut at its bound")
{
    label_registry labels;
    ops::policy_status status;
    ops::audit_line line{labels, status};
    ops::audit_chain chain;
    const auto written = [&](std::size_t octets) {
        std::string out;
        ops::process_event e;
        e.text = std::string(octets, 'z');
        line.append(out, e, chain);
        return static_cast<std::size_t>(std::count(out.begin(), out.end(), 'z'));
    };
    const auto without = written(0);
    CHECK(written(limits::audit_text_octets) == limits::audit_text_octets + without);
    CHECK(written(limits::audit_text_octets + 1) == limits::audit_text_octets + without);
}

TEST_CASE("so many process events wait for a log that cannot be opened, and one more is counted as dropped")
{
    const temporary_directory d;
    label_registry labels;
    ops::policy_status status;
    const auto held = std::make_unique<net::audit_ring>(); // GCC 12's AddressSanitizer aligns no frame to 64 octets (GCC bug 110027)
    auto& ring = *held;
    ops::journal j{d.path("not-there/audit.jsonl"), {&ring}, labels, status};
    for (std::size_t i = 0; i < limits::audit_notes; ++i) j.note({});
    CHECK(j.counts().dropped == 0);
    j.note({});
    CHECK(j.counts().dropped == 1);
    std::filesystem::create_directory(d.path("not-there"));
    j.stop();
    CHECK(j.counts().written == limits::audit_notes);
}

TEST_CASE("a journal whose file never could be opened says what it gave up")
{
    const temporary_directory d;
    label_registry labels;
    ops::policy_status status;
    const auto held = std::make_unique<net::audit_ring>(); // GCC 12's AddressSanitizer aligns no frame to 64 octets (GCC bug 110027)
    auto& ring = *held;
    ops::journal j{d.path("not-there/audit.jsonl"), {&ring}, labels, status};
    ring.push({});
    j.note({});
    j.stop();
    CHECK(j.counts().dropped == 2);
}
