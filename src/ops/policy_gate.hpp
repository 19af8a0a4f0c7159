// What stands between an allowlist on disk and its taking effect where lists must be approved: the signatures of trusted keys, and a serial
// that only rises. Remembers the highest serial in `state`/policy.json, before the list takes effect, so that no restart forgets it.
// Without trusted keys every valid list passes. One thread at a time; blocks, never on a worker.
#pragma once

#include <exeat/config.hpp>
#include <ops/approval.hpp>
#include <ops/load_allowlist.hpp>

#include <optional>
#include <string>

namespace exeat::ops {

struct accepted_policy {
    std::uint64_t serial = 0;
    std::string sha256; // of the approved statement, lower-case hexadecimal
    std::string to_json() const;
};
// None for what exeat never wrote.
std::optional<accepted_policy> read_accepted(std::string_view json);

// Why a list with this serial must not follow the one accepted last; empty: it may.
std::string serial_objection(const std::optional<accepted_policy>& last, std::uint64_t serial, std::string_view sha256);

class policy_gate {
public:
    // Reads the keys and the state. Throws std::runtime_error, with words for people, when either cannot be read.
    explicit policy_gate(const config&);

    loaded_allowlist load(label_registry&, wall_time now);

private:
    std::string accept(const approval_statement&); // what is wrong

    const std::string allowlist_, state_; // state_: the file
    const bool require_end_;
    const site_networks site_;
    approval_rules rules_;
    std::optional<accepted_policy> last_;
};

// The keys of `trusted_keys`, each once. Throws std::runtime_error.
approval_rules read_approval_rules(const config&);

} // namespace exeat::ops
