// The pods of a cluster, or of one of its namespaces, as the API server listed them and changed them since, and what of it belongs into the
// file. Pure; one thread.
//
// Versions. The server sends the events of a watch in the order of their versions, and a list has the version of the moment when it was
// made. Whether an event that is not newer than the one before is a repetition, or of a history that began anew (an etcd that was restored
// from a backup), nobody can tell from here. So a pod is never taken from it, and all pods are listed again instead. Only a deletion counts
// whatever its version: a UID that is gone never comes back. Where versions are not numbers, events are taken as they come.
#pragma once

#include <ops/identity/api_json.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace exeat::ops {

class api_pods {
public:
    using omission = std::function<void(const api_pod&)>; // of a pod that is left out

    // `space`: the namespace; empty: all.
    api_pods(std::string space, omission left_out) : space_{std::move(space)}, left_out_{std::move(left_out)} {}

    // The result is what is wrong, a sentence without its subject; empty: nothing. Afterwards nothing counts but a new list.
    void begin_list();
    std::string take(pod_page);
    void end_list(); // what was taken since begin_list() is now all pods
    // Adds to `lines` what the event changes in the file.
    std::string take(const api_event&, std::string& lines);

    const std::string& space() const noexcept { return space_; }
    const std::string& version() const noexcept { return version_; } // the last that is known
    std::size_t size() const noexcept { return pods_.size(); }
    void append_to(std::string& text) const; // a line for each pod

private:
    using pods = std::unordered_map<std::string, std::string>; // the line by UID

    std::string take_version(const std::string&, bool may_be_equal);
    std::string take_present(const api_pod&, std::string& lines);
    bool is_foreign(const api_pod& p) const noexcept { return !space_.empty() && p.space != space_; }

    const std::string space_;
    const omission left_out_;
    pods pods_, listed_;
    std::string version_, listed_version_;
};

} // namespace exeat::ops
