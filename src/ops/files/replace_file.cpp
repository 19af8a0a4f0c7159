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
    net::unique_fd fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | how, mode)};
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

} // namespace

unfinished_file::unfinished_file(std::string path, readers who, int how)
    : path_{std::move(path)}, new_{path_ + ".new." + std::to_string(::getpid())}, fd_{make(new_, who, O_TRUNC | how)}
{
    if (!fd_) failed();
}

unfinished_file::~unfinished_file()
{
    if (!put_) ::unlink(new_.c_str());
}

std::error_code unfinished_file::failed() { return error_ = last_error(); }

std::error_code unfinished_file::write(std::string_view content) { return error_ = write_all(fd_.value(), content); }

std::error_code unfinished_file::sync() { return error_ = ops::sync(fd_.value()); }

std::error_code unfinished_file::put()
{
    put_ = ::rename(new_.c_str(), path_.c_str()) == 0;
    return put_ ? std::error_code{} : failed();
}

void remove_unfinished(const std::string& directory)
{
    constexpr std::string_view mark = ".new.";
    std::error_code failed;
    for (std::filesystem::directory_iterator at{directory, failed}, end; !failed && at != end; at.increment(failed)) {
        const auto name = at->path().filename().string();
        const auto pid = name.rfind(mark);
        const bool unfinished = pid != name.npos && name.find_first_not_of("0123456789", pid + mark.size()) == name.npos;
        std::error_code unknown;
        if (unfinished && at->is_regular_file(unknown)) ::unlink(at->path().c_str());
    }
}

std::error_code create_file(const std::string& path, std::string_view content, readers who)
{
    return write_new(path, content, who, O_EXCL);
}

std::error_code replace_file(const std::string& path, std::string_view content, readers who)
{
    unfinished_file next{path, who};
    if (!next.is_open() || next.write(content) || next.sync() || next.put()) return next.error();
    return sync_directory(path);
}

std::error_code replace_file_by_parts(const std::string& path, const std::function<std::string_view()>& next_part,
                                      const std::function<bool()>& whole, readers who)
{
    unfinished_file next{path, who};
    if (!next.is_open()) return next.error();
    for (auto part = next_part(); !part.empty(); part = next_part())
        if (next.write(part)) return next.error();
    if (next.sync()) return next.error();
    if (!whole()) return std::make_error_code(std::errc::io_error);
    return next.put() ? next.error() : sync_directory(path);
}

} // namespace exeat::ops
