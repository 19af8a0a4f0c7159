// Why an allowlist does not take effect: it is invalid, has too few approvals, or is older than one that took effect. Value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace exeat::ops {

enum class load_refusal : std::uint8_t { none, invalid, unapproved, rollback };
inline constexpr std::size_t load_refusals = 4;
inline constexpr std::array<std::string_view, load_refusals> load_result_words{"ok", "error", "unapproved", "rollback"}; // metric label

} // namespace exeat::ops
