// A file without a disk: for what exeat reads by path.
#pragma once

#include "property.hpp"

#include <net/sockets/unique_fd.hpp>

#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace exeat::fuzz {

class memory_file {
public:
    explicit memory_file(std::string_view content) : fd_{::memfd_create("fuzz", MFD_CLOEXEC)}
    {
        must(static_cast<bool>(fd_), "a file can be made in memory");
        must(::write(fd_.value(), content.data(), content.size()) == static_cast<ssize_t>(content.size()), "and written");
    }
    std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.value()); }

private:
    net::unique_fd fd_;
};

} // namespace exeat::fuzz
