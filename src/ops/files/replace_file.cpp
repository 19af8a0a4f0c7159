#include <ops/files/replace_file.hpp>

#include <net/sockets/unique_fd.hpp>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace exeat::ops {

namespace {

std::error_code last_error() { return {errno, std::generic_category()}; }

std::error_code write_all(int fd, std::string_view content)
{
    while (!content.empty()) {
        const auto n = ::write(fd, content.data(), content.size());
        if (n < 0 && errno != EINTR) return last_error();
        if (n > 0) content.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

std::error_code sync(int fd) { return ::fsync(fd) == 0 ? std::error_code{} : last_error(); }

std::error_code sync_directory(const std::string& path)
{
    const auto parent = std::filesystem::path{path}.parent_path();
    const net::unique_fd fd{::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return fd && ::fsync(fd.value()) == 0 ? std::error_code{} : last_error();
}

net::unique_fd make(const std::string& path, readers who, int how)
{
    const mode_t mode = who == readers::all ? S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH : S_IRUSR | S_IWUSR;
    net::unique_fd fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | how, mode)};
    if (fd && who == readers::all && ::fchmod(fd.value(), mode) != 0) return {}; // independent of the umask: exeat runs as another user
    return fd;
}

std::error_code write_new(const std::string& path, std::string_view content, readers who, int how)
{
    const auto fd = make(path, who, how);
    if (!fd) return last_error();
    if (const auto failed = write_all(fd.value(), content)) return failed;
    return sync(fd.value());
}

std::string next_to(const std::string& path) { return path + ".new." + std::to_string(::getpid()); }

std::error_code put(const std::string& next, const std::string& path)
{
    return ::rename(next.c_str(), path.c_str()) == 0 ? sync_directory(path) : last_error();
}

} // namespace

std::error_code create_file(const std::string& path, std::string_view content, readers who)
{
    return write_new(path, content, who, O_EXCL);
}

std::error_code replace_file(const std::string& path, std::string_view content, readers who)
{
    const auto next = next_to(path);
    auto failed = write_new(next, content, who, O_TRUNC);
    if (!failed) failed = put(next, path);
    if (failed) ::unlink(next.c_str());
    return failed;
}

std::error_code replace_file_by_parts(const std::string& path, const std::function<std::string_view()>& next_part,
                                      const std::function<bool()>& whole, readers who)
{
    const auto next = next_to(path);
    const auto fd = make(next, who, O_TRUNC);
    if (!fd) return last_error();
    std::error_code failed;
    for (auto part = next_part(); !failed && !part.empty(); part = failed ? part : next_part()) failed = write_all(fd.value(), part);
    if (!failed) failed = sync(fd.value());
    if (!failed && whole()) return put(next, path);
    ::unlink(next.c_str());
    return failed ? failed : std::make_error_code(std::errc::io_error);
}

} // namespace exeat::ops
