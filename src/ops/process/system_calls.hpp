// The system calls that a running exeat makes, and no others (seccomp(2)): what it never needs is refused, and what only an intruder would
// try ends the process. Needs no_new_privs. Any thread; holds for all of them.
#pragma once

namespace exeat::ops {

// Throws std::system_error.
void restrict_system_calls();

} // namespace exeat::ops
