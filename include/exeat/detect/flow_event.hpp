// The input and the output of the detectors. Values; the texts are valid only during the call.
#pragma once

#include <exeat/detect/detector.hpp>
#include <exeat/ip_address.hpp>
#include <exeat/rule.hpp>
#include <exeat/verdict.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace exeat::detect {

using moment = std::chrono::seconds; // since a time that is the same for all events; never goes back

enum class flow_step : std::uint8_t { open, deny, progress, close };

struct flow_entry {
    std::uint64_t id = 0;   // rule::id, the same in every process; 0: none
    std::uint32_t slot = 0; // of its label; entries may share one
    bool operator==(const flow_entry&) const = default;
};

struct flow_event {
    flow_step step = flow_step::open;
    enum verdict verdict = verdict::allowed; // deny: why
    moment at{0};
    moment age{0};        // of the tunnel
    std::uint64_t id = 0; // of the tunnel
    ip_address client;
    ip_address identity{}; // of all pods of its service account; all zero: the client is no pod
    flow_entry entry;
    enum purpose purpose = purpose::pull;
    std::string_view host;
    std::uint64_t up = 0, down = 0; // octets since the last event of this tunnel
    std::uint64_t tunnel_up = 0;    // close: in all
    std::uint32_t times = 1;        // deny: how many denials the event stands for
    bool wildcard = false;          // the entry names the host by a wildcard
    bool over_budget = false;       // close: a budget cut it
    bool over_new_host = false;     // the budget of a client at a host that is new to it is spent

    // Who is remembered to have met a host: a pod that is made anew is not new to what its service account does.
    const ip_address& acquainted() const noexcept { return identity == ip_address{} ? client : identity; }
};

struct finding {
    detector which;
    ip_address client;
    flow_entry entry;
    double value = 0, threshold = 0; // in the detector's unit
    ip_address identity{};           // pod::identity of the client, where it is a pod
};
using findings = std::vector<finding>;

// Reports a finding at most once within each `quiet` period.
class repeat_guard {
public:
    bool may(moment now, moment quiet) noexcept
    {
        if (told_ && now < last_ + quiet) return false;
        told_ = true, last_ = now;
        return true;
    }

    template <class Archive> void fields(Archive& a) { a(last_, told_); }

private:
    moment last_{0};
    bool told_ = false;
};

} // namespace exeat::detect
