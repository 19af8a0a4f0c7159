#include <ops/file_watch.hpp>

#include <boost/asio/buffer.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <system_error>

namespace exeat::ops {

using namespace std::chrono_literals;

namespace {

constexpr auto settle_time = 50ms; // an editor writes more than once; a half-written file would only be refused
constexpr auto poll_time = 2s;

int open_inotify()
{
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) throw std::system_error{errno, std::generic_category(), "inotify_init1"};
    return fd;
}

// The directory as it is named and, behind symlinks, as it really is.
std::set<std::string> directories(const std::vector<std::string>& paths)
{
    std::set<std::string> out;
    for (const auto& p : paths) {
        const std::filesystem::path file{p};
        const auto named = file.parent_path();
        out.insert(named.empty() ? "." : named.string());
        std::error_code failed;
        const auto real = std::filesystem::canonical(file, failed);
        if (!failed) out.insert(real.parent_path().string());
    }
    return out;
}

} // namespace

file_watch::file_watch(boost::asio::io_context& io, std::function<void()> changed)
    : inotify_{io, open_inotify()}, settle_{io}, poll_{io}, changed_{std::move(changed)}
{
    read_events();
    poll();
}

void file_watch::files(std::vector<std::string> paths)
{
    for (const int w : watches_) ::inotify_rm_watch(inotify_.native_handle(), w);
    watches_.clear();
    paths_ = std::move(paths);
    constexpr auto interesting =
        IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF;
    for (const auto& d : directories(paths_)) {
        const int w = ::inotify_add_watch(inotify_.native_handle(), d.c_str(), interesting);
        if (w >= 0) watches_.push_back(w);
    }
    seen_ = fingerprint();
}

void file_watch::stop()
{
    boost::system::error_code ignored;
    inotify_.cancel(ignored);
    settle_.cancel();
    poll_.cancel();
}

void file_watch::read_events()
{
    inotify_.async_read_some(boost::asio::buffer(events_), [this](boost::system::error_code failed, std::size_t) {
        if (failed) return;
        read_events();
        look_soon();
    });
}

void file_watch::look_soon()
{
    if (looking_) return;
    looking_ = true;
    settle_.expires_after(settle_time);
    settle_.async_wait([this](boost::system::error_code failed) {
        looking_ = false;
        if (!failed) look();
    });
}

void file_watch::look()
{
    if (auto now = fingerprint(); now != seen_) {
        changed_(); // before it counts as seen: what fails for lack of memory is tried again at the next poll
        seen_ = std::move(now);
    }
}

void file_watch::poll()
{
    poll_.expires_after(poll_time);
    poll_.async_wait([this](boost::system::error_code failed) {
        if (failed) return;
        poll();
        look();
    });
}

std::string file_watch::fingerprint() const
{
    std::string out;
    for (const auto& p : paths_) {
        struct stat s {};
        if (::stat(p.c_str(), &s) != 0) out += fmt::format("{};", errno);
        else
            out += fmt::format("{}.{}.{}.{}.{}.{};", s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_ctim.tv_nsec);
    }
    return out;
}

} // namespace exeat::ops
