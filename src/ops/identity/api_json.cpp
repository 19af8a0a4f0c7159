#include <ops/identity/api_json.hpp>

#include <exeat/limits.hpp>
#include <ops/identity/pod_json.hpp>
#include <ops/identity/strict_json.hpp>
#include <ops/text/diagnostics.hpp>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

namespace json = boost::json;
template <class T> using outcome = boost::system::result<T, std::string>;

template <class T> outcome<T> wrong(std::string why) { return {boost::system::in_place_error, std::move(why)}; }

std::string_view text_of(const json::object* in, std::string_view name) noexcept
{
    const auto* found = in == nullptr ? nullptr : text_at(*in, name);
    return found == nullptr ? std::string_view{} : std::string_view{found->data(), found->size()};
}

// It is sent back in a URL.
bool is_version(std::string_view s) noexcept
{
    constexpr std::string_view others = "-._";
    const auto good = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
    };
    return !s.empty() && s.size() <= limits::api_version_octets && std::all_of(s.begin(), s.end(), good);
}

// The only text of a pod that read_pod() does not check; another one is left out, and means that the pod has ended.
std::string_view phase_of(const json::object& o) noexcept
{
    constexpr std::array<std::string_view, 5> phases{"Pending", "Running", "Succeeded", "Failed", "Unknown"};
    const auto phase = text_of(object_at(o, "status"), "phase");
    return std::find(phases.begin(), phases.end(), phase) == phases.end() ? std::string_view{} : phase;
}

std::string line_of(const pod_report& r, std::string_view phase)
{
    const auto& p = *r.pod;
    json::object spec, status;
    if (const auto account = p.service_account.substr(p.space.size() + 1); !account.empty()) spec["serviceAccountName"] = account;
    if (r.apart == "host_network") spec["hostNetwork"] = true;
    if (!phase.empty()) status["phase"] = phase;
    if (!p.addresses.empty()) {
        json::array all;
        for (const auto& a : p.addresses) all.push_back(json::object{{"ip", a.to_string()}});
        status["podIP"] = p.addresses.front().to_string();
        status["podIPs"] = std::move(all);
    }
    return json::serialize(json::object{{"metadata", json::object{{"uid", p.uid}, {"namespace", p.space}, {"name", p.name}}},
                                        {"spec", std::move(spec)},
                                        {"status", std::move(status)}});
}

outcome<api_pod> pod_in(const json::object& o)
{
    const auto* about = object_at(o, "metadata");
    api_pod out;
    out.uid = text_of(about, "uid"), out.space = text_of(about, "namespace"), out.version = text_of(about, "resourceVersion");
    if (!is_version(out.version))
        return wrong<api_pod>(fmt::format("has a pod with the resourceVersion {}, which cannot be one", as_shown(out.version)));
    if (const auto report = read_pod(o)) out.line = line_of(*report, phase_of(o));
    else out.why = report.error();
    return outcome<api_pod>{boost::system::in_place_value, std::move(out)};
}

outcome<api_event> failed_watch(const json::object& status)
{
    constexpr std::int64_t gone = 410;
    const auto* code = status.if_contains("code");
    const auto* number = code == nullptr ? nullptr : code->if_int64();
    if (number != nullptr && *number == gone) return api_event{api_event::kind::expired, {}};
    return wrong<api_event>(fmt::format("is an error of the API server: {}", as_shown(text_of(&status, "message"))));
}

bool is_number(std::string_view s) noexcept { return !s.empty() && s[0] != '0' && s.find_first_not_of("0123456789") == s.npos; }

} // namespace

outcome<pod_page> read_pod_page(std::string_view text)
{
    const auto value = parse_strict_json(text, limits::pod_depth + 2); // a list is two deeper than its pods
    if (!value) return wrong<pod_page>(value.error());
    const auto* o = value->if_object();
    if (o == nullptr) return wrong<pod_page>("is not an object of JSON");
    if (const auto kind = text_of(o, "kind"); kind != "PodList")
        return wrong<pod_page>(fmt::format("is of kind {}, and not a PodList", as_shown(kind)));
    const auto* about = object_at(*o, "metadata");
    const auto* items = o->if_contains("items");
    if (items == nullptr || (!items->is_array() && !items->is_null())) return wrong<pod_page>("has no list of items");
    pod_page out;
    out.version = text_of(about, "resourceVersion"), out.next = text_of(about, "continue");
    if (!is_version(out.version))
        return wrong<pod_page>(fmt::format("has the resourceVersion {}, which cannot be one", as_shown(out.version)));
    if (out.next.size() > limits::api_continue_octets)
        return wrong<pod_page>(fmt::format("has a 'continue' of more than {} octets", limits::api_continue_octets));
    if (items->is_null()) return outcome<pod_page>{boost::system::in_place_value, std::move(out)};
    for (const auto& item : items->get_array()) {
        if (!item.is_object()) return wrong<pod_page>("has an item that is not an object of JSON");
        auto pod = pod_in(item.get_object());
        if (!pod) return wrong<pod_page>(std::move(pod).error());
        out.pods.push_back(std::move(*pod));
    }
    return outcome<pod_page>{boost::system::in_place_value, std::move(out)};
}

outcome<api_event> read_api_event(std::string_view line)
{
    const auto value = parse_strict_json(line, limits::pod_depth + 1);
    if (!value) return wrong<api_event>(value.error());
    const auto* o = value->if_object();
    const auto type = text_of(o, "type");
    const auto* object = o == nullptr ? nullptr : object_at(*o, "object");
    if (object == nullptr) return wrong<api_event>("is not an event with an object");
    if (type == "ERROR") return failed_watch(*object);
    api_event out;
    if (type == "BOOKMARK") {
        out.pod.version = text_of(object_at(*object, "metadata"), "resourceVersion");
        if (!is_version(out.pod.version)) return wrong<api_event>("is a bookmark without a resourceVersion");
        return outcome<api_event>{boost::system::in_place_value, std::move(out)};
    }
    if (type == "ADDED" || type == "MODIFIED") out.is = api_event::kind::present;
    else if (type == "DELETED") out.is = api_event::kind::deleted;
    else
        return wrong<api_event>(fmt::format("is an event of type {}, and not ADDED, MODIFIED, DELETED, BOOKMARK or ERROR", as_shown(type)));
    auto pod = pod_in(*object);
    if (!pod) return wrong<api_event>(std::move(pod).error());
    out.pod = std::move(*pod);
    return outcome<api_event>{boost::system::in_place_value, std::move(out)};
}

std::optional<std::strong_ordering> compare_versions(std::string_view a, std::string_view b) noexcept
{
    if (!is_number(a) || !is_number(b)) return std::nullopt;
    if (a.size() != b.size()) return a.size() <=> b.size();
    return a.compare(b) <=> 0;
}

} // namespace exeat::ops
