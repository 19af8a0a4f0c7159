// How many cores this process may use, for `workers = 0`: those of its affinity mask, or fewer if a control group's CPU quota is lower. A
// quota of two and a half cores gives three workers. Blocks on files below /proc and /sys; called before the sandbox is in force.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

// Parses a quota as in cpu.max of cgroup v2 ("250000 100000"), in whole cores, rounded up. Empty: "max", or not a quota.
std::optional<std::size_t> cores_of_quota(std::string_view cpu_max) noexcept;

// The smallest quota of the own control groups and all groups above them, v1 and v2. `root`: the directory with /proc and the mounts, ""
// for the machine's.
std::optional<std::size_t> cores_of_groups(const std::string& root = "");

std::size_t usable_cores(); // at least 1

} // namespace exeat::ops
