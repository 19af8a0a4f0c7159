// The input for the manual pages and the completions, as JSON: `exeat VERB --describe` prints the options of a verb, `exeat help
// --describe` everything else. For exeat's own build and tests; no help text mentions it. Main thread only.
#pragma once

#include <CLI/CLI.hpp>
#include <ops/text/configuration_keys.hpp>

#include <boost/json/object.hpp>

namespace exeat::cli {

boost::json::object describe(const CLI::App&);
boost::json::object describe(const ops::configuration_file&);

} // namespace exeat::cli
