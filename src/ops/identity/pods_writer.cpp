#include <ops/identity/pods_writer.hpp>

#include <exeat/limits.hpp>
#include <ops/files/replace_file.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace exeat::ops {

namespace {

// What killed processes left.
void remove_unfinished_of(const std::filesystem::path& path)
{
    std::error_code failed;
    const auto directory = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    for (std::filesystem::directory_iterator at{directory, failed}, end; !failed && at != end; at.increment(failed))
        if (at->path().filename().string().starts_with(path.filename().string() + ".new.")) ::unlink(at->path().c_str());
}

} // namespace

bool pods_writer::may_append(std::size_t octets) const
{
    struct stat ours {
    }, there{};
    if (!file_ || ::fstat(file_.value(), &ours) != 0 || ::stat(path_.c_str(), &there) != 0) return false;
    if (ours.st_dev != there.st_dev || ours.st_ino != there.st_ino) return false;
    if (static_cast<std::uint64_t>(there.st_size) != first_ + appended_) return false;
    return appended_ + octets <= std::max(limits::pods_appended_least, 2 * first_);
}

std::error_code pods_writer::append(std::string_view lines)
{
    while (!lines.empty()) {
        const auto n = ::write(file_.value(), lines.data(), lines.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) { // a part of a line may be there, which nothing may follow
            const std::error_code failed{errno, std::generic_category()};
            file_ = {};
            return failed;
        }
        lines.remove_prefix(static_cast<std::size_t>(n));
        appended_ += static_cast<std::uint64_t>(n);
    }
    return {};
}

std::error_code pods_writer::replace(std::string_view all)
{
    file_ = {};
    unfinished_file next{path_, readers::all, O_APPEND};
    if (!next.is_open() || next.write(all) || next.put()) return next.error();
    file_ = next.take();
    first_ = all.size(), appended_ = 0;
    return {};
}

net::unique_fd lock_pods_file(const std::string& path)
{
    const auto name = path + ".lock";
    const auto error = [&](std::string_view what) { return std::runtime_error{fmt::format("{} {}", name, what)}; };
    const auto in_words = [] { return std::generic_category().message(errno); };
    net::unique_fd file{::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)};
    if (!file) throw error(fmt::format("cannot be opened: {}; its directory must be there, for this user to write", in_words()));
    if (::flock(file.value(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            throw error(fmt::format("is held by another process, which writes {} already; stop one of the two", path));
        throw error(fmt::format("cannot be locked: {}", in_words()));
    }
    remove_unfinished_of(path);
    return file;
}

} // namespace exeat::ops
