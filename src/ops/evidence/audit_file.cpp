#include <ops/evidence/audit_file.hpp>

#include <exeat/limits.hpp>
#include <net/sockets/unique_fd.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace exeat::ops {

namespace {

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

// Whether the disk is the reason that a file cannot be created, and not a missing permission, descriptor or file system feature.
bool is_of_the_disk(int error) noexcept
{
    return error == EROFS || error == EIO || error == ENOSPC || error == EDQUOT || error == ENXIO || error == ENODEV || error == ESTALE;
}

} // namespace

audit_file::audit_file(std::string path) : path_{std::move(path)} {}

audit_file::~audit_file() { close(); }

void audit_file::close() noexcept
{
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

std::error_code audit_file::open()
{
    if (is_open()) return {};
    tail_.reset();
    // O_NONBLOCK: a FIFO without a reader is an error and does not block.
    fd_ = path_ == "stdout" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                            : ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    struct stat about {};
    if (fd_ < 0 || ::fstat(fd_, &about) != 0) {
        const auto failed = last_error();
        close();
        return failed;
    }
    kind_ = S_ISREG(about.st_mode) ? kind::regular : S_ISSOCK(about.st_mode) ? kind::socket : kind::other;
    if (kind_ != kind::regular || path_ == "stdout") return {};
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) { // two writers would break the chains of both
        close();
        return std::make_error_code(std::errc::text_file_busy);
    }
    if (about.st_size == 0) return {};
    const auto failed = read_tail();
    if (failed) close();
    return failed;
}

std::error_code audit_file::read_tail()
{
    auto tail = read_audit_tail(path_);
    if (!tail) return tail.error();
    tail_ = std::move(*tail);
    return end_last_line();
}

// A fragment that a crash left stays in the log. It is ended with a newline, so that the next line starts on its own line.
std::error_code audit_file::end_last_line() const
{
    const net::unique_fd reader{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    char last = '\0';
    const auto size = static_cast<off_t>(this->size());
    if (!reader || size == 0 || ::pread(reader.value(), &last, 1, size - 1) != 1) return last_error();
    return last == '\n' || ::write(fd_, "\n", 1) == 1 ? std::error_code{} : last_error();
}

std::error_code audit_file::sync() const noexcept
{
    return is_regular() && is_open() && ::fdatasync(fd_) != 0 ? last_error() : std::error_code{};
}

std::error_code audit_file::probe() const noexcept
{
    if (!is_regular() || !is_open()) return {};
    const auto slash = path_.rfind('/');
    const auto directory = slash == path_.npos ? "." : slash == 0 ? "/" : nullptr;
    std::array<char, PATH_MAX> beside{};
    if (directory == nullptr) path_.copy(beside.data(), std::min(slash, beside.size() - 1));
    const net::unique_fd file{::open(directory != nullptr ? directory : beside.data(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600)};
    if (!file) return is_of_the_disk(errno) ? last_error() : sync();
    return ::write(file.value(), "\n", 1) == 1 && ::fdatasync(file.value()) == 0 ? std::error_code{} : last_error();
}

bool audit_file::waits_for_room() const noexcept
{
    pollfd room{fd_, POLLOUT, 0};
    return ::poll(&room, 1, static_cast<int>(std::chrono::milliseconds{limits::audit_stall}.count())) == 1;
}

std::error_code audit_file::write_some(std::string_view bytes, std::size_t& written) noexcept
{
    written = 0;
    ssize_t n = 0;
    if (kind_ == kind::regular) n = ::write(fd_, bytes.data(), bytes.size());
    else if (!waits_for_room()) return {};
    else if (kind_ == kind::socket) n = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    else n = ::write(fd_, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF)); // POLLOUT: PIPE_BUF octets do not block
    if (n < 0) return errno == EAGAIN || errno == EINTR ? std::error_code{} : last_error();
    written = static_cast<std::size_t>(n);
    return {};
}

void audit_file::take_back(std::size_t octets) noexcept
{
    struct stat about {};
    if (octets == 0 || kind_ != kind::regular || ::fstat(fd_, &about) != 0) return;
    if (about.st_size < static_cast<off_t>(octets)) return;
    [[maybe_unused]] const int done = ::ftruncate(fd_, about.st_size - static_cast<off_t>(octets));
}

bool audit_file::vanished() const noexcept
{
    struct stat mine {
    }, there{};
    if (kind_ != kind::regular || path_ == "stdout" || ::fstat(fd_, &mine) != 0) return false;
    if (mine.st_nlink == 0) return true;
    return ::stat(path_.c_str(), &there) == 0 && (mine.st_ino != there.st_ino || mine.st_dev != there.st_dev);
}

std::uint64_t audit_file::size() const noexcept
{
    struct stat about {};
    const bool counts = kind_ == kind::regular && path_ != "stdout" && ::fstat(fd_, &about) == 0;
    return counts ? static_cast<std::uint64_t>(about.st_size) : 0;
}

bool audit_file::is_out_of_space() const noexcept
{
    struct statfs volume {};
    if (kind_ != kind::regular || !is_open() || ::fstatfs(fd_, &volume) != 0 || volume.f_blocks == 0) return false;
    return (::geteuid() == 0 ? volume.f_bfree : volume.f_bavail) == 0; // root may use what is kept for it
}

bool audit_file::low_on_space() const noexcept
{
    struct statfs volume {};
    if (kind_ != kind::regular || !is_open() || ::fstatfs(fd_, &volume) != 0) return false;
    const auto reserve = std::min<std::uint64_t>(limits::audit_space / static_cast<std::uint64_t>(volume.f_bsize),
                                                 static_cast<std::uint64_t>(volume.f_blocks) / limits::audit_space_part);
    return static_cast<std::uint64_t>(volume.f_bavail) < reserve;
}

} // namespace exeat::ops
