// How much of something there was in each of the last limits::history_steps steps, for many names at once, told by totals that only rise.
// Bounded: at most limits::history_tracks names have steps of their own, and those are the largest. Pure; one thread.
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

    // The total of this name up to now. A name's first total is all new; so is one that is less than the last. What
    // has no name counts in the sums only.
    void note(std::string_view name, std::uint64_t total);
    // The step is over: what follows is the next one's. Who was not noted in it is forgotten, but for what it did.
    void next();

    // How much of all names in each step, the oldest first; the last is the one that goes on.
    steps all() const noexcept { return unrolled(all_); }
    struct track {
        std::string name;
        std::uint64_t sum = 0;
        steps each{}; // the oldest first
    };
    // Those with the largest sums, the largest first, and the rest together (without a name; left out where nothing is left).
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
