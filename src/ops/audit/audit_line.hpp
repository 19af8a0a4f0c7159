// Formats events as JSON lines with ECS field names (dotted and flat, so that grep finds them). Owns only small caches; the journal's
// thread.
#pragma once

#include <exeat/client.hpp>
#include <exeat/enum_array.hpp>
#include <exeat/quarantine.hpp>
#include <net/audit/audit_ring.hpp>
#include <ops/evidence/audit_chain.hpp>
#include <ops/identity/workload_names.hpp>
#include <ops/policy/label_registry.hpp>
#include <ops/policy/policy_status.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// An event of the process rather than of a client.
struct process_event {
    struct approver {
        std::string key, name; // key: its ID. name: the stem of its file in trusted_keys, empty when it is no longer known
    };
    enum class what : std::uint8_t { start, stop, reload, withheld, quarantine, gap, resumed };
    what action = what::start;
    bool ok = true;
    std::string text;                  // readable text; truncated at limits::audit_text_octets
    std::string sha256;                // of the policy; may be empty
    std::uint64_t serial = 0;          // of the policy
    std::string file;                  // start, reload: the allowlist
    std::vector<approver> by;          // start, reload: who approved the list; at most limits::told_approvers are written
    std::optional<quarantine> subject; // quarantine: what begins or ends
    std::uint64_t stands_for = 0;      // withheld: the number of events without a line
    std::uint64_t anchored = 0;        // gap, resumed: the number of the line at the last checkpoint; 0: it could not be read
    std::chrono::system_clock::time_point at = std::chrono::system_clock::now();
};

struct anomaly_event;

enum class checkpoint_reason : std::uint8_t { start, time, lines, rotation, end };
inline constexpr enum_array<checkpoint_reason, std::string_view, 5> checkpoint_reason_words{"start", "time", "lines", "rotation", "end"};

// A line of the chain that is signed if there is a key, and whose number and hash are also kept outside of the log.
struct checkpoint_event {
    checkpoint_reason why;
    std::string_view host, log, key;                   // key: its ID, or empty when the line is not signed
    std::function<std::string(std::string_view)> sign; // returns the signature of the line so far as text; empty on failure
    std::chrono::system_clock::time_point at = std::chrono::system_clock::now();
};

class audit_line {
public:
    // All references outlive this object. `client_prefix` is the number of bits of an IPv6 address that identify a client in a finding.
    // `workloads` names the pods of clients; null: no client is one.
    audit_line(const label_registry&, const policy_status&, std::uint8_t client_prefix = whole_address,
               const workload_names* workloads = nullptr);

    // Append one line with its newline to `out` as the next line of the chain, and update the chain.
    void append(std::string& out, const net::audit_record&, audit_chain&);
    void append(std::string& out, const process_event&, audit_chain&);
    void append(std::string& out, const anomaly_event&, audit_chain&);
    void append(std::string& out, const checkpoint_event&, audit_chain&);
    // Makes the line with this number report that a crash left this fragment before it.
    void after_torn(std::string_view fragment, std::uint64_t line);

private:
    void begin(std::string& out, std::chrono::system_clock::time_point at, const audit_chain&);
    void timestamp(std::string& out, std::chrono::system_clock::time_point at);
    void source(std::string& out, const net::audit_record&);
    void workload(std::string& out, const ip_address& client) const;
    void found_at(std::string& out, const ip_address& client) const;
    void policy(std::string& out, const net::audit_record&);
    void responsible_for(std::string& out, std::uint64_t rule_id) const;
    const std::string& rule(std::uint32_t slot, std::uint64_t id);
    const std::string& group(std::uint32_t slot);

    const label_registry& labels_;
    const policy_status& status_;
    const std::uint8_t client_prefix_;
    const workload_names* const workloads_;
    std::vector<std::string> rules_, groups_; // by slot, as JSON strings; a slot's name never changes
    std::string unslotted_;                   // the name of the last rule without a slot
    std::string sha256_;                      // of the policy of generation_
    std::shared_ptr<const responsible_by_rule> responsible_;
    std::uint64_t generation_ = 0;
    std::chrono::sys_seconds second_{}; // the second that second_text_ shows
    std::string second_text_;
    std::string torn_;            // the fields about the fragment before a line, ...
    std::uint64_t torn_line_ = 0; // ... and the number of that line
};

} // namespace exeat::ops
