#include "flood.hpp"

#include <cerrno>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <vector>

namespace exeat::bench {

namespace {

constexpr std::size_t file_bytes = 1 << 20;

}

flood::flood() : file_{::memfd_create("flood", MFD_CLOEXEC)}
{
    const std::vector<char> bytes(file_bytes, 'x');
    if (::write(file_.value(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) fail("memfd");
}

long flood::pour(int fd) const
{
    off_t from = 0;
    const auto n = ::sendfile(fd, file_.value(), &from, file_bytes);
    return n > 0 ? n : n < 0 && errno == EAGAIN ? again : broken;
}

} // namespace exeat::bench
