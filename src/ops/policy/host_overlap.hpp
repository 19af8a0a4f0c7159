// Finds which of many host patterns overlaps another one, with a few look-ups by its labels, however many patterns there are. Refers to the
// patterns; immutable once built, any thread.
#pragma once

#include <exeat/names/name_index.hpp>

#include <string_view>
#include <unordered_map>
#include <vector>

namespace exeat::ops {

class host_overlap {
public:
    explicit host_overlap(const std::vector<host_pattern>& all); // exact patterns, and patterns of any depth

    static constexpr std::size_t none = SIZE_MAX;
    // The index in `all` of a pattern that has a host in common with `p`; none: there is no such pattern.
    std::size_t meets(const host_pattern& p) const noexcept;
    // The index in `all` of a pattern that matches all hosts of `p`; none: there is no such pattern.
    std::size_t covers(const host_pattern& p) const noexcept;

private:
    using places = std::unordered_map<std::string_view, std::size_t>;
    places exact_, wild_, below_; // by base; below_: by each parent of the base
};

} // namespace exeat::ops
