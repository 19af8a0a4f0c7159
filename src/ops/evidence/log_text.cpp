#include <ops/evidence/log_text.hpp>

#include <net/sockets/unique_fd.hpp>

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <system_error>
#include <unistd.h>
#include <zlib.h>

namespace exeat::ops {

namespace {

struct close_gz {
    void operator()(gzFile file) const noexcept { ::gzclose_r(file); }
};
using gz_file = std::unique_ptr<gzFile_s, close_gz>;

std::string said(int error) { return "cannot be read: " + std::generic_category().message(error); }

int opened(const std::string& path) noexcept { return path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }

std::string trouble(gzFile file)
{
    int error = Z_OK;
    const char* text = ::gzerror(file, &error);
    if (error == Z_OK || error == Z_STREAM_END) return {};
    if (error == Z_ERRNO) return said(errno);
    return error == Z_BUF_ERROR ? "is cut within its compressed data" : std::string{"is damaged: "} + text;
}

} // namespace

std::string read_log_text(const std::string& path, const std::function<bool(std::string_view)>& take)
{
    net::unique_fd fd{opened(path)};
    if (!fd) return said(errno);
    const gz_file file{::gzdopen(fd.value(), "rb")}; // data that is not gzip is read unchanged
    if (!file) return said(ENOMEM);
    fd.release();
    std::string chunk(64 * 1024, '\0');
    for (;;) {
        const int n = ::gzread(file.get(), chunk.data(), static_cast<unsigned>(chunk.size()));
        if (n <= 0) return trouble(file.get());
        if (!take({chunk.data(), static_cast<std::size_t>(n)})) return {};
    }
}

} // namespace exeat::ops
