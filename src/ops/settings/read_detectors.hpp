// [detect.NAME] of exeat.toml: what a detector's findings do, and from where on it finds. One thread.
#pragma once

#include <exeat/config.hpp>
#include <ops/text/section.hpp>

namespace exeat::ops {

void read_detectors(section& root, detector_settings&);

} // namespace exeat::ops
