// The counter slot of each rule's or group's name. A name keeps its slot for the life of the process, across all reloads, so that counters
// never jump; when the slots are used up, new names share slot 0 ("_other" for rules, "_none" for groups). The name of such a rule is still
// found by the rule's id, until limits::rules_without_slot others have been loaded after it.
// The loader assigns slots (one thread at a time); names may be read from any thread.
#pragma once

#include <exeat/limits.hpp>
#include <exeat/rule.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace exeat::ops {

class label_registry {
public:
    struct rule_label {
        std::string name;
        enum purpose purpose = purpose::pull;
    };
    // Slots with a meaning of their own; those of rules and groups come after them.
    static constexpr std::uint32_t other_rule = 0;    // "_other": no slot left, or no rule at all
    static constexpr std::uint32_t reported_rule = 1; // "_report": passed only because the list is in report mode
    static constexpr std::uint32_t no_group = 0;      // "_none"

    label_registry();
    std::uint32_t rule_slot(std::string_view name, enum purpose); // another purpose gets another slot
    std::uint32_t group_slot(std::string_view name);

    rule_label rule(std::uint32_t slot) const;
    std::string rule_name(std::uint32_t slot, std::uint64_t id) const; // also for a rule that shares slot 0
    std::string group(std::uint32_t slot) const;
    std::vector<rule_label> rules() const;   // by slot
    std::vector<std::string> groups() const; // by slot

private:
    struct unslotted {
        std::string name;
        std::uint64_t loaded = 0; // number of its last load
    };
    void keep_name(std::string_view name);

    mutable std::mutex mutex_;
    std::vector<rule_label> rules_;
    std::vector<std::string> groups_;
    std::map<std::pair<std::string, enum purpose>, std::uint32_t> rule_slots_;
    std::map<std::string, std::uint32_t, std::less<>> group_slots_;
    std::unordered_map<std::uint64_t, unslotted> without_slot_; // by id
    std::map<std::uint64_t, std::uint64_t> by_load_;            // load number → id, the oldest load first
    std::uint64_t loads_ = 0;
};

} // namespace exeat::ops
