// How many cores this process may use, for `workers = 0`: those of its affinity mask, or fewer where a control group's CPU quota allows
// less. A quota of two and a half cores keeps three workers busy. Blocks on files below /proc and /sys; before the sandbox.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

// A quota as cpu.max of cgroup v2 says it ("250000 100000"), in whole cores, rounded up. None: "max", or no quota at all.
std::optional<std::size_t> cores_of_quota(std::string_view cpu_max) noexcept;

// The smallest quota of the own control groups and all above them, v1 and v2. `root`: where /proc and the mounts are, "" for the machine's.
std::optional<std::size_t> cores_of_groups(const std::string& root = "");

std::size_t usable_cores(); // at least 1

} // namespace exeat::ops
