#include <ops/policy/label_registry.hpp>

#include <exeat/budget/budget_book.hpp>

namespace exeat::ops {

static_assert(label_registry::reported_rule == reported_rule_slot); // core uses it for what report mode lets pass

label_registry::label_registry() : rules_{{"_other", purpose::pull}, {"_report", purpose::pull}}, groups_{"_none"} {}

std::uint32_t label_registry::rule_slot(std::string_view name, enum purpose p)
{
    const std::lock_guard hold{mutex_};
    const std::pair key{std::string{name}, p};
    if (const auto known = rule_slots_.find(key); known != rule_slots_.end()) return known->second;
    if (rules_.size() >= limits::rule_slots) return keep_name(name), other_rule;
    const auto slot = static_cast<std::uint32_t>(rules_.size());
    rules_.push_back({key.first, p});
    rule_slots_.emplace(key, slot);
    return slot;
}

void label_registry::keep_name(std::string_view name)
{
    const auto id = budget_key::id_of(name);
    auto& kept = without_slot_[id];
    if (kept.loaded != 0) by_load_.erase(kept.loaded);
    kept = {std::string{name}, ++loads_};
    by_load_.emplace(kept.loaded, id);
    if (by_load_.size() <= limits::rules_without_slot) return;
    without_slot_.erase(by_load_.begin()->second);
    by_load_.erase(by_load_.begin());
}

std::uint32_t label_registry::group_slot(std::string_view name)
{
    const std::lock_guard hold{mutex_};
    if (const auto known = group_slots_.find(name); known != group_slots_.end()) return known->second;
    if (groups_.size() >= limits::group_slots) return no_group;
    const auto slot = static_cast<std::uint32_t>(groups_.size());
    groups_.emplace_back(name);
    group_slots_.emplace(name, slot);
    return slot;
}

label_registry::rule_label label_registry::rule(std::uint32_t slot) const
{
    const std::lock_guard hold{mutex_};
    return rules_[slot < rules_.size() ? slot : other_rule];
}

std::string label_registry::rule_name(std::uint32_t slot, std::uint64_t id) const
{
    const std::lock_guard hold{mutex_};
    const auto known = slot == other_rule ? without_slot_.find(id) : without_slot_.end();
    return known == without_slot_.end() ? rules_[slot < rules_.size() ? slot : other_rule].name : known->second.name;
}

std::string label_registry::group(std::uint32_t slot) const
{
    const std::lock_guard hold{mutex_};
    return groups_[slot < groups_.size() ? slot : no_group];
}

std::vector<label_registry::rule_label> label_registry::rules() const
{
    const std::lock_guard hold{mutex_};
    return rules_;
}

std::vector<std::string> label_registry::groups() const
{
    const std::lock_guard hold{mutex_};
    return groups_;
}

} // namespace exeat::ops
