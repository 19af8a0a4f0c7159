#include <ops/replace_file.hpp>

#include <net/unique_fd.hpp>

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
    return ::fsync(fd) == 0 ? std::error_code{} : last_error();
}

std::error_code sync_directory(const std::string& path)
{
    const auto parent = std::filesystem::path{path}.parent_path();
    const net::unique_fd fd{::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return fd && ::fsync(fd.value()) == 0 ? std::error_code{} : last_error();
}

std::error_code write_new(const std::string& path, std::string_view content, readers who, int how)
{
    const mode_t mode = who == readers::all ? S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH : S_IRUSR | S_IWUSR;
    const net::unique_fd fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | how, mode)};
    return fd ? write_all(fd.value(), content) : last_error();
}

} // namespace

std::error_code create_file(const std::string& path, std::string_view content, readers who)
{
    return write_new(path, content, who, O_EXCL);
}

std::error_code replace_file(const std::string& path, std::string_view content, readers who)
{
    const auto next = path + ".new." + std::to_string(::getpid());
    if (const auto failed = write_new(next, content, who, O_TRUNC)) return failed;
    if (::rename(next.c_str(), path.c_str()) != 0) return last_error();
    return sync_directory(path);
}

} // namespace exeat::ops
