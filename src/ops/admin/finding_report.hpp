// The recent findings as JSON, each with its text, its advice, its entry, and the command that prints its lines of the log. Read-only; any
// thread.
#pragma once

#include <ops/metrics/metric_families.hpp> // client_names

#include <boost/json.hpp>

namespace exeat::ops {

boost::json::object finding_report(const metric_sources&, const client_names&);

} // namespace exeat::ops
