// The file `quarantine` of the state directory: the quarantines, as `exeat quarantine` writes them and `exeat serve` reads them. Only an
// administrator of the machine can write there, so the file is not signed. Blocks; never on a worker.
#pragma once

#include <exeat/limits.hpp>
#include <exeat/quarantine.hpp>

#include <boost/system/result.hpp>
#include <functional>
#include <string>

namespace exeat::ops {

std::string quarantine_path(const std::string& state);

// No quarantines when there is no such file. The error is for people.
boost::system::result<quarantines, std::string> read_quarantines(const std::string& path);

// Passes the current content to `change` and replaces the file with the result, in one step and one process at a time (flock(2) of
// `path`.lock). Throws std::runtime_error, with a message for people, when that fails; the file is then unchanged.
void change_quarantines(const std::string& path, const std::function<void(quarantines&)>& change, std::size_t most = limits::quarantines);

// Whether a serving process uses this state directory now (state_file.hpp).
bool is_in_use(const std::string& state);

} // namespace exeat::ops
