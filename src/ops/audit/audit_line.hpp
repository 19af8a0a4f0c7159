// Events to JSON lines with ECS field names (dotted, flat, so that they can be grepped). Owns small caches only; the journal's thread.
#pragma once

#include <exeat/client.hpp>
#include <exeat/enum_array.hpp>
#include <net/audit/audit_ring.hpp>
#include <ops/evidence/audit_chain.hpp>
#include <ops/policy/label_registry.hpp>
#include <ops/policy/policy_status.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// What happened to the process rather than to a client.
struct process_event {
    struct approver {
        std::string key, name; // its id; the stem of its file under trusted_keys, empty where it is not known any longer
    };
    enum class what : std::uint8_t { start, stop, reload, withheld, quarantine, gap, resumed };
    what action = what::start;
    bool ok = true;
    std::string text;             // for people; cut at limits::audit_text_octets
    std::string sha256;           // of the policy; may be empty
    std::uint64_t serial = 0;     // of the policy
    std::string file;             // start, reload: the allowlist
    std::vector<approver> by;     // start, reload: who approved the list; at most limits::told_approvers are told
    std::uint64_t stands_for = 0; // withheld: events that have no line
    std::uint64_t anchored = 0;   // gap, resumed: the number of the line at the last checkpoint; 0: it could not be read
    std::chrono::system_clock::time_point at = std::chrono::system_clock::now();
};

struct anomaly_event;

enum class checkpoint_reason : std::uint8_t { start, time, lines, rotation, end };
inline constexpr enum_array<checkpoint_reason, std::string_view, 5> checkpoint_reason_words{"start", "time", "lines", "rotation", "end"};

// A line of the chain that is signed, where there is a key, and whose number and hash are kept outside of the log.
struct checkpoint_event {
    checkpoint_reason why;
    std::string_view host, log, key;                   // the key's id; empty: it is not signed
    std::function<std::string(std::string_view)> sign; // the signature's text for the line so far; empty: it could not be made
    std::chrono::system_clock::time_point at = std::chrono::system_clock::now();
};

class audit_line {
public:
    // Both outlive the writer. A finding is of a client; `client_prefix` is how many bits of an IPv6 address name it.
    audit_line(const label_registry&, const policy_status&, std::uint8_t client_prefix = whole_address);

    // Append one line with its newline to `out`, as the chain's next, and seal the chain with it.
    void append(std::string& out, const net::audit_record&, audit_chain&);
    void append(std::string& out, const process_event&, audit_chain&);
    void append(std::string& out, const anomaly_event&, audit_chain&);
    void append(std::string& out, const checkpoint_event&, audit_chain&);
    // The line with this number says that a crash left this fragment before it.
    void after_torn(std::string_view fragment, std::uint64_t line);

private:
    void begin(std::string& out, std::chrono::system_clock::time_point at, const audit_chain&);
    void timestamp(std::string& out, std::chrono::system_clock::time_point at);
    void source(std::string& out, const net::audit_record&);
    void policy(std::string& out, const net::audit_record&);
    void responsible_for(std::string& out, std::uint64_t rule_id) const;
    const std::string& rule(std::uint32_t slot, std::uint64_t id);
    const std::string& group(std::uint32_t slot);

    const label_registry& labels_;
    const policy_status& status_;
    const std::uint8_t client_prefix_;
    std::vector<std::string> rules_, groups_; // by slot, as JSON strings; a slot's name never changes
    std::string unslotted_;                   // of the last rule that has no slot
    std::string sha256_;                      // of the policy of generation_
    std::shared_ptr<const responsible_by_rule> responsible_;
    std::uint64_t generation_ = 0;
    std::chrono::sys_seconds second_{}; // that second_text_ stands for
    std::string second_text_;
    std::string torn_;            // what a line says of the fragment before it, ...
    std::uint64_t torn_line_ = 0; // ... and which line
};

} // namespace exeat::ops
