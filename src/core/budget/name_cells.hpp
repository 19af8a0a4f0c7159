// How a name_budget stores a name: a cell with its tag and the step of its last use. Private to core.
#pragma once

#include <exeat/budget/name_budget.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace exeat {

inline constexpr unsigned step_bits = 64 - name_budget::tag_bits;
inline constexpr std::uint64_t step_mask = (std::uint64_t{1} << step_bits) - 1; // 119 years of hours
inline constexpr std::uint64_t passed = 1;                                      // a cell that was used, but long ago
inline constexpr std::chrono::minutes step_minutes = limits::name_step;
static_assert(limits::name_budget_names <= step_mask + 1); // a name's place and its tag are different bits of its hash
static_assert(limits::wildcard_names_ceiling <= std::numeric_limits<std::uint16_t>::max());
static_assert(limits::budget_epoch > 2 * limits::name_window); // a step within a window is never step 0

constexpr std::uint64_t tag_of(std::uint64_t cell) noexcept { return cell >> step_bits; }
constexpr std::uint32_t step_of(std::uint64_t cell) noexcept { return static_cast<std::uint32_t>(cell & step_mask); }
constexpr bool within(std::uint32_t then, std::uint32_t now) noexcept { return then + name_budget::steps > now; }
constexpr std::uint32_t age_at(std::uint32_t then, std::uint32_t now) noexcept { return now - std::min(then, now); }

} // namespace exeat
