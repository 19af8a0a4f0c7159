// A YAML document as a tree with the positions of its nodes. The target of an alias is shared, and the keys of a merge key ("<<") are
// copied into their mapping; nodes and depth are bounded, so that a short file cannot take gigabytes of memory. Pure; any thread.
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
    std::vector<std::pair<yaml_link, yaml_link>> pairs; // of a mapping: key and value; a duplicate key is an error

    const yaml_node* find(std::string_view key) const noexcept; // of a mapping
};

// "a list", "a table", "text", "nothing": for diagnostics.
std::string_view kind_of(const yaml_node&) noexcept;

// The first document; nothing after an error that ends reading.
std::optional<yaml_link> parse_yaml(const std::string& text, diagnostics&);

} // namespace exeat::ops
