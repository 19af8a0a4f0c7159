// What a start requires from the machine besides its files: the directories of the audit log and of the state, and the listening addresses.
// `check` tests them without any side effect; `serve` tests the audit log and the state before it listens. Main thread.
#pragma once

#include <exeat/config.hpp>
#include <ops/process/open_sockets.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

struct start_needs {
    std::vector<std::string> wrong; // each names the path or the address, why it cannot be used, and what to do
    std::vector<std::string> notes; // conditions that are correct while exeat runs and errors otherwise
};

// Tests with the rights of the calling user. Nothing is created, locked or listened on. `file`: the exeat.toml that says so, by which an
// exeat that runs with it is known.
start_needs try_start(const config&, const std::string& file);

// Opens all listening sockets once the audit log and the state are known to be usable, so that a client that connects reaches a serving
// process or none. Creates the audit log if it does not exist; a full disk is waited for later. Throws std::runtime_error that says what
// cannot be used.
open_sockets open_after_files(const config&);

} // namespace exeat::ops
