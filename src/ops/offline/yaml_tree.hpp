// A YAML document as a tree with the places of its nodes. What an alias names is shared, what a merge key ("<<") brings is there as if it
// had been written; nodes and depth are bounded, so a file of a few lines cannot ask for a gigabyte. Pure; any thread.
#pragma once

#include <ops/text/diagnostics.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace exeat::ops {

struct yaml_node;
using yaml_link = std::shared_ptr<const yaml_node>; // never null

struct yaml_node {
    enum class kind : std::uint8_t { nothing, scalar, sequence, mapping };
    kind is = kind::nothing;
    place at;
    std::string text;                                   // of a scalar
    std::vector<yaml_link> items;                       // of a sequence
    std::vector<std::pair<yaml_link, yaml_link>> pairs; // of a mapping: key and value; a key that stands twice is a finding

    const yaml_node* find(std::string_view key) const noexcept; // of a mapping
};

// "a list", "a table", "text", "nothing": as diagnostics call it.
std::string_view kind_of(const yaml_node&) noexcept;

// The first document; nothing after a finding that ends the reading.
std::optional<yaml_link> parse_yaml(const std::string& text, diagnostics&);

} // namespace exeat::ops
