// Pods as the API server writes them, for tests.
#pragma once

#include <exeat/limits.hpp>
#include <ops/identity/pod_json.hpp>
#include <ops/identity/strict_json.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <string>
#include <string_view>

namespace exeat::test {

inline boost::system::result<ops::pod_report, std::string> pod_of(std::string_view json)
{
    const auto value = ops::parse_strict_json(json, limits::pod_depth);
    if (!value) return {boost::system::in_place_error, value.error()};
    if (!value->is_object()) return {boost::system::in_place_error, "is not an object of JSON"};
    return ops::read_pod(value->get_object());
}

struct written { // one line of a file
    std::string uid = "7c1e2b9a-0000-4000-8000-000000000001", space = "training", name = "trainer-0", account = "trainer",
                phase = "Running", address = "10.244.0.7", more_spec{}, more_status{};

    std::string line() const
    {
        return fmt::format(
            R"({{"kind":"Pod","metadata":{{"uid":"{}","namespace":"{}","name":"{}"}},"spec":{{"serviceAccountName":"{}"{}}},)"
            R"("status":{{"phase":"{}","podIP":"{}","podIPs":[{{"ip":"{}"}}]{}}}}})",
            uid, space, name, account, more_spec, phase, address, address, more_status);
    }
    ops::pod_report report() const
    {
        const auto p = pod_of(line());
        REQUIRE_MESSAGE(p.has_value(), (p ? std::string{} : p.error()));
        return *p;
    }
};

inline written with_uid(int n, std::string address = "10.244.0.7")
{
    written w;
    w.uid = fmt::format("7c1e2b9a-0000-4000-8000-{:012}", n), w.address = std::move(address);
    return w;
}

inline ip_address ip(std::string_view text) { return *ip_address::parse(text); }

inline std::string event(std::string_view type, const written& w)
{
    return fmt::format(R"({{"type":"{}","object":{}}})", type, w.line()) + "\n";
}

inline const std::vector<ip_prefix> networks{*ip_prefix::parse("10.244.0.0/16"), *ip_prefix::parse("fd00:244::/64")};

} // namespace exeat::test
