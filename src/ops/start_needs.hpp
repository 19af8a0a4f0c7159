// What a start needs of the machine beside its files: the directories of the audit log and of the state, and the addresses that it listens
// on. `check` tries them without leaving a trace; `serve` tries the audit log and the state before it listens. Main thread.
#pragma once

#include <exeat/config.hpp>
#include <ops/process/open_sockets.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

struct start_needs {
    std::vector<std::string> wrong; // each names the path or the address, why it cannot be had, and what to do
    std::vector<std::string> notes; // what is as it should be while exeat runs, and would be wrong otherwise
};

// As the user who asks. Nothing is created, locked or listened on.
start_needs try_start(const config&);

// All that a process listens on, once the audit log and the state are known to be there: who connects finds what serves, or nobody. Creates
// the audit log where it is not there yet; a full disk is waited for later. Throws std::runtime_error with what cannot be had.
open_sockets open_after_files(const config&);

} // namespace exeat::ops
