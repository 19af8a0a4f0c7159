// How `replay` tells what another allowlist would have changed: requests of one kind, group and entry together.
#pragma once

#include <cli/read_logs.hpp>
#include <ops/offline/replay.hpp>

#include <boost/json/object.hpp>
#include <string>

namespace exeat::cli {

// At most `most` hosts in each paragraph; how many more there are is said.
std::string to_text(const ops::replay_result&, const read_log&, std::size_t most);
boost::json::object to_json(const ops::replay_result&, const read_log&);

} // namespace exeat::cli
