// The answers of /api/status and /api/history as JSON: what runs, what is enforced, and what happens now. Bounded by limits::status_rows
// and limits::history_shown, whatever the traffic. Read-only; the admin listener's thread.
#pragma once

#include <ops/metrics/history.hpp>
#include <ops/metrics/metrics.hpp>
#include <ops/metrics/readiness.hpp>

#include <chrono>
#include <string>

namespace exeat::ops {

std::string status_report(const metrics&, const readiness&, std::chrono::seconds uptime);
std::string history_report(history&);

} // namespace exeat::ops
