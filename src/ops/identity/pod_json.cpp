#include <ops/identity/pod_json.hpp>

#include <exeat/identity/workload_key.hpp>
#include <exeat/limits.hpp>
#include <ops/identity/strict_json.hpp>
#include <ops/text/diagnostics.hpp>
#include <ops/text/digest.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

namespace json = boost::json;
using outcome = boost::system::result<pod_report, std::string>;

outcome wrong(std::string why) { return {boost::system::in_place_error, std::move(why)}; }

bool is_uid(std::string_view s) noexcept
{
    constexpr std::string_view others = "-._";
    const auto good = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
    };
    return !s.empty() && s.size() <= limits::pod_uid_octets && std::all_of(s.begin(), s.end(), good);
}

std::string_view text_or_nothing(const json::object* in, std::string_view name) noexcept
{
    const auto* found = in == nullptr ? nullptr : text_at(*in, name);
    return found == nullptr ? std::string_view{} : std::string_view{found->data(), found->size()};
}

// The words of `phase` (core/v1 PodStatus).
constexpr std::array<std::string_view, 5> phases{"Pending", "Running", "Succeeded", "Failed", "Unknown"};

// Of a pod whose node is lost (Unknown) nobody knows whether it runs.
bool may_talk(std::string_view phase) noexcept { return phase == "Pending" || phase == "Running"; }

ip_address key_of(workload_kind kind, std::string_view text)
{
    sha256_digest digest;
    digest.take(kind == workload_kind::instance ? "pod " : "service account ");
    digest.take(text);
    const auto all = digest.finish();
    if (!all) throw std::bad_alloc{}; // the library has no SHA-256 now: treated like a lack of memory, so that no two pods share a key
    workload_digest head{};
    std::copy_n(all->begin(), head.size(), head.begin());
    return workload_key(kind, head);
}

// podIPs has all addresses, podIP the first of them.
boost::system::result<std::vector<ip_address>, std::string> addresses_of(const json::object* status)
{
    using outcome = boost::system::result<std::vector<ip_address>, std::string>;
    std::vector<ip_address> out;
    const auto take = [&out](std::string_view text) {
        const auto a = ip_address::parse(text);
        if (!a) return false;
        if (std::find(out.begin(), out.end(), *a) == out.end()) out.push_back(*a);
        return true;
    };
    const auto bad = [](std::string_view text) {
        return outcome{boost::system::in_place_error, fmt::format("has the address {}, which is none", as_shown(text))};
    };
    if (const auto first = text_or_nothing(status, "podIP"); !first.empty() && !take(first)) return bad(first);
    const auto* all = status == nullptr ? nullptr : status->if_contains("podIPs");
    const auto* listed = all == nullptr ? nullptr : all->if_array();
    if (all != nullptr && !all->is_null() && listed == nullptr)
        return outcome{boost::system::in_place_error, "has status.podIPs that are not a list"};
    if (listed == nullptr) return out;
    for (const auto& one : *listed) {
        const auto ip = text_or_nothing(one.if_object(), "ip");
        if (!take(ip)) return bad(ip);
        if (out.size() > limits::pod_addresses)
            return outcome{boost::system::in_place_error, fmt::format("has more than {} addresses", limits::pod_addresses)};
    }
    return out;
}

} // namespace

exeat::pod make_pod(std::string uid, std::string space, std::string name, std::string_view account, std::vector<ip_address> addresses)
{
    exeat::pod out;
    out.service_account = fmt::format("{}/{}", space, account);
    out.instance = key_of(workload_kind::instance, uid);
    out.identity = key_of(workload_kind::identity, out.service_account);
    out.uid = std::move(uid), out.space = std::move(space), out.name = std::move(name), out.addresses = std::move(addresses);
    return out;
}

outcome read_pod(const json::object& o)
{
    const auto kind = text_or_nothing(&o, "kind");
    if (kind.ends_with("List")) return wrong("is a list; write one pod a line, as jq -c '.items[]' does");
    if (!kind.empty() && kind != "Pod") return wrong(fmt::format("is of kind {}, and not a Pod", as_shown(kind)));
    const auto *about = object_at(o, "metadata"), *spec = object_at(o, "spec"), *status = object_at(o, "status");
    const auto uid = text_or_nothing(about, "uid"), space = text_or_nothing(about, "namespace"), name = text_or_nothing(about, "name");
    if (!is_uid(uid)) return wrong(fmt::format("has no metadata.uid that could be one: {}", as_shown(uid)));
    if (!is_namespace(space)) return wrong(fmt::format("has no metadata.namespace that could be one: {}", as_shown(space)));
    if (!is_object_name(name)) return wrong(fmt::format("has no metadata.name that could be one: {}", as_shown(name)));
    const auto account = text_or_nothing(spec, "serviceAccountName"); // empty for static pods, which have none
    if (!account.empty() && !is_object_name(account))
        return wrong(fmt::format("has a service account that is none: {}", as_shown(account)));
    const auto* on_node = spec == nullptr ? nullptr : spec->if_contains("hostNetwork");
    if (on_node != nullptr && !on_node->is_bool() && !on_node->is_null())
        return wrong("has spec.hostNetwork that is neither true nor false");
    const auto phase = text_or_nothing(status, "phase");
    if (std::find(phases.begin(), phases.end(), phase) == phases.end())
        return wrong(fmt::format("has no status.phase that could be one: {}", as_shown(phase)));
    auto addresses = addresses_of(status);
    if (!addresses) return wrong(std::move(addresses).error());
    pod_report out;
    if (on_node != nullptr && on_node->is_bool() && on_node->get_bool()) out.apart = "host_network";
    else if (!may_talk(phase)) out.apart = "ended";
    out.pod = std::make_shared<const exeat::pod>(
        make_pod(std::string{uid}, std::string{space}, std::string{name}, account, std::move(*addresses)));
    return out;
}

} // namespace exeat::ops
