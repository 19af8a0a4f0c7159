// [kubernetes] of exeat.toml. One thread.
#pragma once

#include <exeat/config.hpp>
#include <ops/text/section.hpp>

namespace exeat::ops {

void read_kubernetes(section&, config&);

} // namespace exeat::ops
