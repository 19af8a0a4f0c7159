// Why an allowlist does not take effect: it is wrong, too few approved it, or it is older than one that did. Value.
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
