// [network] of exeat.toml: facts about the addresses around this machine. One thread.
#pragma once

#include <exeat/config.hpp>
#include <ops/text/section.hpp>

namespace exeat::ops {

void read_site(section&, network_settings&);

} // namespace exeat::ops
