// A pod of Kubernetes, as far as exeat needs to know it. Immutable and shared by std::shared_ptr<const pod>; any thread.
#pragma once

#include <exeat/ip_address.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat {

struct pod {
    std::string uid{};             // metadata.uid: unique over all pods that there ever were
    std::string space{};           // metadata.namespace
    std::string name{};            // metadata.name
    std::string service_account{}; // "namespace/name"
    std::vector<ip_address> addresses{};
    ip_address instance{}; // client::key of its connections, made from uid
    ip_address identity{}; // the key of its service account, which all pods of the account share

    bool operator==(const pod&) const = default;
};

// A pod of this service account for decisions alone: without keys and address. Empty text: none.
std::optional<pod> pod_of_account(std::string_view service_account);

// Whether a text is what Kubernetes takes for a name: labels of RFC 1123, lower case, several of them joined by dots where it is not the
// name of a namespace.
bool is_namespace(std::string_view) noexcept;
bool is_object_name(std::string_view) noexcept;
bool is_service_account(std::string_view) noexcept; // "namespace/name"

} // namespace exeat
