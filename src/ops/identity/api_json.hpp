// What the API server of Kubernetes says of pods: the pages of a list, and the lines of a watch (core/v1 PodList, metav1 WatchEvent). Of a
// pod only what exeat reads is kept, written anew from what was understood, so that no label or annotation gets any further. Pure; any
// thread.
#pragma once

#include <boost/system/result.hpp>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

struct api_pod {
    std::string uid{}, space{}; // empty: they cannot be read
    std::string version{};      // metadata.resourceVersion
    std::string line{};         // the pod as pods_file reads it, without a newline; empty: it is not a pod that exeat could know, for ...
    std::string why{};          // ... this reason: a sentence without its subject
};

struct pod_page {
    std::vector<api_pod> pods{};
    std::string version{}, next{}; // next: asks for the next page; empty: it is the last one
};

struct api_event {
    enum class kind : std::uint8_t {
        present, // ADDED or MODIFIED
        deleted,
        bookmark, // nothing but a version
        expired,  // the server no longer has what happened since the version that was asked for
    };
    kind is = kind::bookmark;
    api_pod pod{}; // of a bookmark only its version
};

// The errors are sentences without their subject.
boost::system::result<pod_page, std::string> read_pod_page(std::string_view);
boost::system::result<api_event, std::string> read_api_event(std::string_view line);

// Versions are compared as numbers of any length (KEP-5504). Nothing: one of them is not a number, and no order is known.
std::optional<std::strong_ordering> compare_versions(std::string_view, std::string_view) noexcept;

} // namespace exeat::ops
