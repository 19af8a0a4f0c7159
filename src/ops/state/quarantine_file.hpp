// The file `quarantine` of the state directory: what is quarantined, as `exeat quarantine` writes it and `exeat serve` reads it. Who may
// write there is an administrator of the machine, so it bears no signature. Blocks; never on a worker.
#pragma once

#include <exeat/quarantine.hpp>

#include <boost/system/result.hpp>
#include <functional>
#include <string>

namespace exeat::ops {

std::string quarantine_path(const std::string& state);

// Nothing is quarantined where there is no such file. The error is for people.
boost::system::result<quarantines, std::string> read_quarantines(const std::string& path);

// Lets `change` have what is there and puts the result in its place, in one step and one process at a time (flock(2) of `path`.lock).
// Throws std::runtime_error, with words for people, where that fails; the file is then as it was.
void change_quarantines(const std::string& path, const std::function<void(quarantines&)>& change);

// Whether a process keeps this state directory (state_file.hpp) now: one that serves.
bool is_in_use(const std::string& state);

} // namespace exeat::ops
