#include <ops/file_watch.hpp>

#include <algorithm>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/buffer.hpp>
#include <filesystem>
#include <set>
#include <sys/inotify.h>
#include <system_error>
#include <utility>

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
std::set<std::string> directories(const std::vector<watched_file>& files)
{
    std::set<std::string> out;
    for (const auto& f : files) {
        const std::filesystem::path file{f.path};
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

void file_watch::files(std::vector<watched_file> files)
{
    for (const int w : watches_) ::inotify_rm_watch(inotify_.native_handle(), w);
    watches_.clear();
    files_ = std::move(files);
    constexpr auto interesting =
        IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF;
    for (const auto& d : directories(files_)) {
        const int w = ::inotify_add_watch(inotify_.native_handle(), d.c_str(), interesting);
        if (w >= 0) watches_.push_back(w);
    }
}

void file_watch::forget() noexcept
{
    for (auto& f : files_) f.forget();
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
    auto woken = [this](boost::system::error_code failed, std::size_t) {
        if (failed) return;
        read_events();
        look_soon();
    };
    inotify_.async_read_some(boost::asio::buffer(events_), boost::asio::bind_allocator(read_memory_.memory(), woken));
}

void file_watch::look_soon()
{
    if (std::exchange(looking_, true)) return;
    settle_.expires_after(settle_time);
    settle_.async_wait(boost::asio::bind_allocator(settle_memory_.memory(), [this](boost::system::error_code failed) {
        looking_ = false;
        if (!failed) look();
    }));
}

void file_watch::look()
{
    if (std::none_of(files_.begin(), files_.end(), [](const watched_file& f) { return f.changed(); })) return;
    changed_(); // before it counts as seen: what fails for lack of memory is tried again at the next poll
    for (auto& f : files_) f = watched_file{f.path};
}

void file_watch::poll()
{
    poll_.expires_after(poll_time);
    poll_.async_wait(boost::asio::bind_allocator(poll_memory_.memory(), [this](boost::system::error_code failed) {
        if (failed) return;
        poll();
        look();
    }));
}

} // namespace exeat::ops
