#include <doctest/doctest.h>
#include <exeat/budget/budget_book.hpp>
#include <ops/policy/label_registry.hpp>

#include <set>

using namespace exeat;
using ops::label_registry;

TEST_CASE("a name keeps its slot for good, and each name has its own")
{
    label_registry labels;
    const auto a = labels.rule_slot("a", purpose::pull), b = labels.rule_slot("b", purpose::pull);
    CHECK(a != b);
    CHECK(labels.rule_slot("a", purpose::pull) == a);
    CHECK(labels.rule(a).name == "a");
    const auto g = labels.group_slot("training");
    CHECK(labels.group_slot("eval") != g);
    CHECK(labels.group_slot("training") == g);
    CHECK(labels.group(g) == "training");
}

TEST_CASE("a changed purpose is another slot, and the old one keeps its meaning")
{
    label_registry labels;
    const auto pull = labels.rule_slot("a", purpose::pull), api = labels.rule_slot("a", purpose::api);
    CHECK(pull != api);
    CHECK(labels.rule(pull).purpose == purpose::pull);
    CHECK(labels.rule(api).purpose == purpose::api);
    CHECK(labels.rule_slot("a", purpose::pull) == pull);
}

TEST_CASE("the slots with a meaning of their own are never given out")
{
    label_registry labels;
    CHECK(labels.rule(label_registry::other_rule).name == "_other");
    CHECK(labels.rule(label_registry::reported_rule).name == "_report");
    CHECK(labels.group(label_registry::no_group) == "_none");
    CHECK(labels.rule_slot("a", purpose::pull) > label_registry::reported_rule);
    CHECK(labels.group_slot("a") > label_registry::no_group);
}

TEST_CASE("when the slots are used up new names share slot 0 and known names keep theirs")
{
    label_registry labels;
    std::set<std::uint32_t> rules, groups;
    for (std::size_t i = 0; i < limits::rule_slots - 2; ++i) rules.insert(labels.rule_slot("r" + std::to_string(i), purpose::pull));
    for (std::size_t i = 0; i < limits::group_slots - 1; ++i) groups.insert(labels.group_slot("g" + std::to_string(i)));
    CHECK(rules.size() == limits::rule_slots - 2);
    CHECK(*rules.rbegin() == limits::rule_slots - 1);
    CHECK(groups.size() == limits::group_slots - 1);
    CHECK(labels.rule_slot("late", purpose::pull) == label_registry::other_rule);
    CHECK(labels.group_slot("late") == label_registry::no_group);
    CHECK(labels.rule_slot("r0", purpose::pull) == *rules.begin());
    CHECK(labels.rules().size() == limits::rule_slots);
    CHECK(labels.groups().size() == limits::group_slots);
}

TEST_CASE("a name without a slot is known by its id, until so many others were loaded since")
{
    label_registry labels;
    for (std::size_t i = 0; i < limits::rule_slots; ++i) labels.rule_slot("r" + std::to_string(i), purpose::pull);
    const auto name_of = [&](const std::string& name) { return labels.rule_name(label_registry::other_rule, budget_key::id_of(name)); };
    const auto load = [&](std::size_t first, std::size_t count) {
        for (std::size_t i = first; i < first + count; ++i) labels.rule_slot("late" + std::to_string(i), purpose::pull);
    };
    load(0, limits::rules_without_slot);
    CHECK(name_of("late0") == "late0");
    load(0, 1); // again: it was loaded last
    load(limits::rules_without_slot, 1);
    CHECK(name_of("late0") == "late0");
    CHECK(name_of("late1") == "_other");
    CHECK(name_of("late2") == "late2");
    CHECK(labels.rule_name(labels.rule_slot("r7", purpose::pull), budget_key::id_of("r7")) == "r7");
    CHECK(name_of("never") == "_other");
}

TEST_CASE("a slot that was never given out reads as no rule and no group")
{
    const label_registry labels;
    CHECK(labels.rule(4'000'000'000).name == "_other");
    CHECK(labels.group(4'000'000'000) == "_none");
}
