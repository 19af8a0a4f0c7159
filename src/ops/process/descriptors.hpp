// How the limit of open files is divided: what admission, the admin listener, the audit log and the workers themselves need is set aside,
// and tunnels share the rest.
#pragma once

#include <exeat/config.hpp>
#include <ops/process/log.hpp>

#include <cstddef>

namespace exeat::ops {

struct descriptor_plan {
    std::size_t connections = 0;      // at once, over all workers
    std::size_t spare_per_worker = 0; // for pipes and further attempts to connect
    bool operator==(const descriptor_plan&) const = default;
};

// `fds` are all that the process may have. Pure.
descriptor_plan divide_descriptors(const config&, std::size_t fds) noexcept;
// Raises the limit as far as the machine lets it and divides it. Fewer connections than configured are a warning.
descriptor_plan plan_descriptors(const config&, const event_log&);

} // namespace exeat::ops
