// The text of a finding: what was seen, over which period and against which threshold, with units; and what to do about it. Pure; any
// thread.
#pragma once

#include <exeat/detect/flow_event.hpp>

#include <string>
#include <string_view>

namespace exeat::ops {

std::string finding_text(const detect::finding&);
std::string_view finding_advice(detect::detector) noexcept;

} // namespace exeat::ops
