// The kernel's path-based sandbox (landlock(7)) through its raw system calls: it limits which files the process may open from then on. It
// applies to the calling thread and to threads that it starts later, and cannot be undone. Main thread, before any other thread.
#pragma once

#include <string>
#include <vector>

namespace exeat::ops {

struct open_paths {
    std::vector<std::string> read;  // files, or directories with all their content
    std::vector<std::string> write; // the same, with permission to create and remove files there
};

// The Landlock ABI version of this kernel; 0: none.
int landlock_version() noexcept;
// Allows only these paths from now on: no binding of TCP ports, no abstract sockets and no signals to other processes, as far as the
// kernel's version supports it. A path that does not exist is ignored. Throws std::system_error.
void restrict_files(const open_paths&, int version);

} // namespace exeat::ops
