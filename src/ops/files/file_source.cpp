#include <ops/files/file_source.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace exeat::ops {

namespace {

std::string cannot(std::string_view what, int error)
{
    const auto* elsewhere = error == EACCES ? "; the sandbox lets a running exeat read only the directories that its files had at the "
                                              "start: restart it, or name the directory in [sandbox] read"
                                            : "";
    return fmt::format("cannot {}: {}; check the path and the permissions{}", what, std::generic_category().message(error), elsewhere);
}

std::string too_large(std::size_t most)
{
    return fmt::format("larger than {} MiB, which is the most that is read; split it or remove what is not needed", most >> 20);
}

} // namespace

boost::system::result<file_source, std::string> file_source::open(const std::string& path, std::size_t most)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); // O_NONBLOCK: a FIFO must not hang the open
    if (fd < 0) return cannot("open", errno);
    struct stat about {};
    if (::fstat(fd, &about) != 0) {
        const int error = errno;
        ::close(fd);
        return cannot("read", error);
    }
    file_source opened{fd, static_cast<std::size_t>(about.st_size), most};
    if (S_ISDIR(about.st_mode)) return std::string{"is a directory; name the file in it"};
    if (!S_ISREG(about.st_mode)) return std::string{"is not a regular file; name a regular file"};
    if (opened.size_ > most) return too_large(most);
    return opened;
}

file_source::file_source(file_source&& from) noexcept
    : fd_{std::exchange(from.fd_, -1)}, size_{from.size_}, most_{from.most_}, left_{from.left_}
{}

file_source::~file_source()
{
    if (fd_ >= 0) ::close(fd_);
}

boost::system::result<std::size_t, int> file_source::read(std::span<char> to)
{
    for (;;) {
        const auto n = ::read(fd_, to.data(), to.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return {boost::system::in_place_error, errno};
        const auto got = static_cast<std::size_t>(n);
        if (got > left_) return {boost::system::in_place_error, EFBIG};
        left_ -= got;
        return {boost::system::in_place_value, got};
    }
}

bool file_source::rewind() noexcept
{
    left_ = most_;
    return ::lseek(fd_, 0, SEEK_SET) == 0;
}

boost::system::result<std::string, std::string> read_whole(const std::string& path, std::size_t most)
{
    using outcome = boost::system::result<std::string, std::string>;
    auto file = file_source::open(path, most);
    if (!file) return outcome{boost::system::in_place_error, std::move(file).error()};
    std::string text;
    for (std::size_t used = 0;; used = text.size()) {
        text.resize(std::max<std::size_t>(file->size() + 1, used + 4'096));
        const auto got = file->read({text.data() + used, text.size() - used});
        if (!got) return outcome{boost::system::in_place_error, got.error() == EFBIG ? too_large(most) : cannot("read", got.error())};
        text.resize(used + *got);
        if (*got == 0) return outcome{boost::system::in_place_value, std::move(text)};
    }
}

} // namespace exeat::ops
