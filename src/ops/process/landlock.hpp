// The kernel's path-based sandbox (landlock(7)) by its raw system calls: which files the process may still open from now on. Holds for the
// calling thread and those that it starts later, for good. Main thread, before any other.
#pragma once

#include <string>
#include <vector>

namespace exeat::ops {

struct open_paths {
    std::vector<std::string> read;  // files, or directories with all that is in them
    std::vector<std::string> write; // the same, also to make and remove files there
};

// The version of the interface that this kernel has; 0: none.
int landlock_version() noexcept;
// From now on nothing but this, no TCP port, no abstract socket and no signal to others, as far as the kernel's version knows of them.
// A path that does not exist opens nothing. Throws std::system_error.
void restrict_files(const open_paths&, int version);

} // namespace exeat::ops
