// Allows only the system calls that exeat makes after start-up (seccomp(2)): other calls fail, and calls that only an intruder would make
// kill the process. Requires no_new_privs. Any thread; applies to all threads.
#pragma once

namespace exeat::ops {

// Throws std::system_error.
void restrict_system_calls();

} // namespace exeat::ops
