// [detect.NAME] of exeat.toml: the action for a detector's findings, its rate and its threshold. One thread.
#pragma once

#include <exeat/config.hpp>
#include <ops/text/section.hpp>

namespace exeat::ops {

void read_detectors(section& root, detector_settings&);

} // namespace exeat::ops
