// allowlist.toml. A list loads or says in place why not; loaded again it is the same list. What loads denies a host that it cannot have
// named, and opens no metadata address by whatever it names.
#include "memory_file.hpp"
#include "problems.hpp"

#include <exeat/check_address.hpp>
#include <ops/policy/load_allowlist.hpp>

#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

constexpr wall_time now = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};

std::vector<client> clients_of(const policy& rules)
{
    std::vector<client> all{{ip_address::v4(0x0a2a0101), 0, {}}};
    for (const auto& g : rules.groups())
        if (!g.sources.empty()) all.push_back({g.sources.front().network, 0, {}});
    for (auto& c : all) c.groups = rules.groups_of(c.source);
    return all;
}

void check_stranger(std::string_view file, const policy& rules, const client& who)
{
    constexpr std::string_view unguessable = "h7q2zk9v";
    if (file.find(unguessable) != file.npos || rules.reporting(now)) return;
    for (const auto via : {approach::tunnel, approach::tls, approach::http}) {
        const auto stranger = parse_authority("www.h7q2zk9v:443", via);
        must(stranger.has_value() && !decide(who, *stranger, rules, now).allowed(), "what the list does not name is denied");
    }
}

void check_named(const policy& rules, const client& who, std::string_view name)
{
    const own_endpoints none;
    for (const auto& [port, via] : {std::pair{":443", approach::tunnel}, {":443", approach::tls}, {":80", approach::http}}) {
        const auto to = parse_authority(std::string{name} + port, via);
        if (!to) return;
        const auto said = decide(who, *to, rules, now);
        must(said.allowed() == (said.verdict == verdict::allowed), "a decision says one thing");
        if (!said.allowed()) continue;
        must(said.rule != nullptr && said.rule->kind != rule_kind::deny && who.groups.any(), "a rule allowed it, to a client of a group");
        for (const auto* secret : {"169.254.169.254", "fd00:ec2::254", "168.63.129.16"})
            must(!check_address(*said.approval, *ip_address::parse(secret), none), "a metadata address is nobody's");
        if (said.rule->kind == rule_kind::allow)
            must(!check_address(*said.approval, *ip_address::parse("10.0.0.1"), none), "an [[allow]] opens no private address");
    }
}

// Whatever stands in quotes may be a host.
void check_quoted(std::string_view file, const policy& rules, const client& who)
{
    for (std::size_t n = 0; n < 16; ++n) {
        const auto open = file.find('"');
        if (open == file.npos) return;
        file.remove_prefix(open + 1);
        auto name = file.substr(0, file.find('"'));
        if (name.starts_with("**.")) name.remove_prefix(1);
        const auto host = name.starts_with("*.") ? "any" + std::string{name.substr(1)} : std::string{name};
        check_named(rules, who, host);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    const memory_file file{in};
    ops::label_registry labels;
    const auto loaded = ops::load_allowlist(file.path(), labels, now, ops::scrutiny::lint);
    must(loaded.rules == nullptr == ops::any_error(loaded.problems), "a list loads, or an error says why not");
    for (const auto& f : loaded.files) must(f.path.starts_with("/proc/self/fd/"), "what is read lies beside the list");
    if (loaded.files.size() == 1) check_places(in, loaded.problems);
    const auto again = ops::load_allowlist(file.path(), labels, now, ops::scrutiny::lint);
    check_same(loaded.problems, again.problems);
    if (!loaded.rules) return 0;
    must(again.rules && again.rules->settings().sha256 == loaded.rules->settings().sha256, "the same file is the same list");
    for (const auto& who : clients_of(*loaded.rules)) {
        check_stranger(in, *loaded.rules, who);
        check_quoted(in, *loaded.rules, who);
    }
    return 0;
}
