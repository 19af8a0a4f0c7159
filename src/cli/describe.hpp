// What the manual pages and the completions are made of, as JSON: `exeat VERB --describe` the options of a verb, `exeat help --describe`
// all else. For our own build and tests, and in no help text. Main thread only.
#pragma once

#include <CLI/CLI.hpp>
#include <ops/text/configuration_keys.hpp>

#include <boost/json/object.hpp>

namespace exeat::cli {

boost::json::object describe(const CLI::App&);
boost::json::object describe(const ops::configuration_file&);

} // namespace exeat::cli
