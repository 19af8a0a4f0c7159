// How the limit of open files is divided: a part is reserved for admission, the admin listener, the audit log and the workers themselves,
// and tunnels share the rest.
#pragma once

#include <exeat/config.hpp>
#include <ops/process/log.hpp>

#include <cstddef>

namespace exeat::ops {

struct descriptor_plan {
    std::size_t connections = 0;      // at the same time, over all workers
    std::size_t spare_per_worker = 0; // for pipes and parallel connection attempts
    bool operator==(const descriptor_plan&) const = default;
};

// `fds`: the limit of open files of the process. Pure.
descriptor_plan divide_descriptors(const config&, std::size_t fds) noexcept;
// Raises the limit to the machine's maximum and divides it. Logs a warning when fewer connections than configured are possible.
descriptor_plan plan_descriptors(const config&, const event_log&);

} // namespace exeat::ops
