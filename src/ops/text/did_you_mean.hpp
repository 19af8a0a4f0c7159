// "Did you mean": the nearest of some known words. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace exeat::ops {

// The word of `known` at most two edits away from `written` (fewer for short words); empty when there is none.
std::string_view nearest_word(std::string_view written, std::span<const std::string_view> known);

// "; did you mean 'ports'?", or "; " and the fix where nothing is near.
std::string did_you_mean(std::string_view written, std::span<const std::string_view> known, std::string_view otherwise);

// "'a', 'b' or 'c'"
std::string listed(std::span<const std::string_view> words);

} // namespace exeat::ops
