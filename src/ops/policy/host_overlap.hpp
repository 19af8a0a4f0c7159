// Which of many host patterns has hosts in common with another one: a few look-ups by its labels, however many they are. Refers to the
// patterns; immutable once built, any thread.
#pragma once

#include <exeat/names/name_index.hpp>

#include <string_view>
#include <unordered_map>
#include <vector>

namespace exeat::ops {

class host_overlap {
public:
    explicit host_overlap(const std::vector<host_pattern>& all); // exact ones, and those of any depth

    static constexpr std::size_t none = SIZE_MAX;
    // The place in `all` of one that takes in a host which `p` takes in; none otherwise.
    std::size_t meets(const host_pattern& p) const noexcept;
    // ... that takes in all of them.
    std::size_t covers(const host_pattern& p) const noexcept;

private:
    using places = std::unordered_map<std::string_view, std::size_t>;
    places exact_, wild_, below_; // by the base; below_: by each name above it
};

} // namespace exeat::ops
