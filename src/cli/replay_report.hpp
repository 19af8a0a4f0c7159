// How `replay` reports what another allowlist would have changed: requests with the same kind, group and entry are grouped.
#pragma once

#include <cli/read_logs.hpp>
#include <ops/offline/replay.hpp>

#include <boost/json/object.hpp>
#include <string>

namespace exeat::cli {

// Shows at most `most` hosts in each paragraph, and the number of the others.
std::string to_text(const ops::replay_result&, const read_log&, std::size_t most);
boost::json::object to_json(const ops::replay_result&, const read_log&);

} // namespace exeat::cli
