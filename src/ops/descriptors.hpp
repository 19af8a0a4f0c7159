// How many connections the limit of open files leaves room for.
#pragma once

#include <exeat/config.hpp>
#include <ops/log.hpp>

namespace exeat::ops {

// Raises the limit as far as the machine lets it. What is configured, or as many as that affords, with a warning.
std::size_t affordable_connections(const config&, const event_log&);

} // namespace exeat::ops
