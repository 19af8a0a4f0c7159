// Records by how much each of many named totals, which only rise, has increased in each of the last limits::history_steps steps. Bounded:
// at most limits::history_tracks names have steps of their own, the largest ones. Pure; one thread.
#pragma once

#include <exeat/limits.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

class recent_tracks {
public:
    using steps = std::array<std::uint64_t, limits::history_steps>;

    // Records the total of a name up to now. The first total of a name counts as new in full, and so does a total below the last one. An
    // empty name counts in the sums only.
    void note(std::string_view name, std::uint64_t total);
    // Ends the step. The total of a name that was not noted in this step is forgotten; what it has added stays.
    void next();

    // The sum over all names for each step, the oldest first; the last is the current step.
    steps all() const noexcept { return unrolled(all_); }
    struct track {
        std::string name;
        std::uint64_t sum = 0;
        steps each{}; // the oldest first
    };
    // The names with the largest sums, the largest first, then all others in one track without a name (omitted when it is empty).
    std::vector<track> largest(std::size_t most) const;

private:
    struct line {
        std::uint64_t sum = 0;
        steps each{};
    };
    struct last {
        std::uint64_t total = 0;
        bool noted = false;
    };
    void add(std::string_view name, std::uint64_t n);
    steps unrolled(const steps&) const noexcept;

    std::map<std::string, last, std::less<>> totals_;
    std::map<std::string, line, std::less<>> lines_;
    steps all_{};
    std::size_t now_ = 0;
};

} // namespace exeat::ops
