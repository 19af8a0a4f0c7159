// The policy in force and the result of the last reload. Reload writes it; metrics, admin and journal read it. Any thread.
#pragma once

#include <exeat/enum_array.hpp>
#include <exeat/limits.hpp>
#include <exeat/policy.hpp>
#include <ops/policy/ignored_files.hpp>
#include <ops/policy/load_refusal.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace exeat::ops {

// The owner and the ticket of an entry, as in the list; either may be empty.
struct responsible {
    std::string owner, ticket;
    bool operator==(const responsible&) const = default;
};
using responsible_by_rule = std::unordered_map<std::uint64_t, responsible>; // by rule::id; only entries with either

class policy_status {
public:
    struct view {
        std::shared_ptr<const policy> rules; // never null once started
        std::uint64_t generation = 0;        // rises with each policy that takes effect; audit_record::policy refers to it
        bool last_reload_ok = false;
        wall_time last_success{};
        std::uint64_t reloads_ok = 0;                                             // without the first load
        enum_array<load_refusal, std::uint64_t, load_refusals> reloads_refused{}; // by load_refusal
        std::string last_error;   // of the last reload, if it failed: the first problem, in one line
        std::string waiting;      // why a changed list is not read or not in force yet; one line
        approval_state approvals; // of the last load
        std::size_t former = 0;   // replaced lists that a worker still holds
        bool draining = false;
        bool started = false; // the workers accept connections
    };
    view now() const;
    void took_effect(std::shared_ptr<const policy>, wall_time now); // generation + 1
    void renewed();                                                 // the same list again, after an entry's end: generation + 1
    void failed(std::string error, load_refusal = load_refusal::invalid);
    void unchanged(wall_time now); // a reload that found the same bytes is a success
    void approved(approval_state);
    void waits(std::string why); // until the next reload succeeds or fails
    void still_held(std::size_t former);
    void start();
    void drain();
    // The sha256 of a recent generation; empty when it is no longer known (limits::policy_history).
    std::string sha256(std::uint64_t generation) const;
    // The owners and tickets of a recent generation's rules; null when they are no longer known.
    std::shared_ptr<const responsible_by_rule> responsible(std::uint64_t generation) const;

private:
    void succeeded(wall_time now);

    mutable std::mutex mutex_;
    view view_;
    std::array<std::string, limits::policy_history> sha256_;                // by generation, modulo its size
    std::array<std::shared_ptr<const responsible_by_rule>, 8> responsible_; // likewise
};

// One line for a service manager's status: what is in force, and why the last reload failed, if it did.
std::string serving_status(const policy_status::view&);

} // namespace exeat::ops
