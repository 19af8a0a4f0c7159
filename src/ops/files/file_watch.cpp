#include <ops/files/file_watch.hpp>

#include <algorithm>
#include <boost/asio/bind_allocator.hpp>
#include <fcntl.h>
#include <utility>

namespace exeat::ops {

using namespace std::chrono_literals;

namespace {

constexpr auto settle_time = 50ms; // an editor writes more than once
constexpr auto again_time = 250ms; // how often a file that is being written is checked
constexpr auto poll_time = 2s;
constexpr auto slow_time = 10s; // a writer that takes longer is reported

// Whether the file's modification time shows enough silence. If the clock was set, that time may be in the future and shows nothing; then
// the silence must be observed.
bool quiet_before(const file_look& f) noexcept { return std::chrono::system_clock::now() - f.written >= quiet_time(f.octets); }

} // namespace

file_watch::file_watch(boost::asio::io_context& io, std::function<void()> changed, writer_handler slow_writer, const writer_patience& with)
    : inotify_{io, ::fcntl(events_.descriptor(), F_DUPFD_CLOEXEC, 0)}, settle_{io}, poll_{io}, changed_{std::move(changed)},
      slow_writer_{std::move(slow_writer)}, patience_{with}
{
    read_events();
    poll();
}

void file_watch::files(std::vector<watched_file> files)
{
    files_ = std::move(files);
    waited_.clear();
    given_up_.clear();
    events_.watch(files_);
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

// Asio only waits, and the events are read directly: events that Asio had read but not delivered would be missing in unsettled().
void file_watch::read_events()
{
    auto woken = [this](boost::system::error_code failed) {
        if (failed) return;
        events_.take_waiting();
        read_events();
        look_soon(settle_time);
    };
    inotify_.async_wait(boost::asio::posix::stream_descriptor::wait_read, boost::asio::bind_allocator(read_memory_.memory(), woken));
}

void file_watch::look_soon(std::chrono::milliseconds wait)
{
    if (std::exchange(looking_, true)) return;
    settle_.expires_after(wait);
    settle_.async_wait(boost::asio::bind_allocator(settle_memory_.memory(), [this](boost::system::error_code failed) {
        looking_ = false;
        if (!failed) look();
    }));
}

void file_watch::look()
{
    if (std::none_of(files_.begin(), files_.end(), [this](const watched_file& f) { return concerns(f); })) return events_.looked();
    events_.watch(files_); // swapped symlinks lead to other directories
    const bool urgent = std::any_of(files_.begin(), files_.end(), [this](const watched_file& f) { return f.urgent && concerns(f); });
    if (!urgent && still_written(clock::now())) return look_soon(again_time);
    changed_(); // before the change counts as seen: after a lack of memory, the next poll tries again
    for (auto& f : files_) f.look_again();
    waited_.clear();
    events_.looked();
}

// Includes files that look unchanged: a store into mapped memory does not change the modification time.
bool file_watch::concerns(const watched_file& f) const { return f.changed() || events_.is_closed(f); }

bool file_watch::still_written(clock::time_point now)
{
    bool any = false;
    for (const auto& f : files_)
        if (concerns(f)) any |= still_written(f, now); // check each one: its silence starts now
    return any;
}

bool file_watch::still_written(const watched_file& f, clock::time_point now)
{
    const bool open = events_.is_written(f); // a pause of its writer proves nothing: the close event does
    const file_look look{f.path};
    if (!open && (events_.is_whole(f, now) || quiet_before(look))) {
        waited_.erase(f.path);
        return false;
    }
    auto& w = waited_.try_emplace(f.path, waited_file{.look = look.text, .since = now, .first = now}).first->second;
    if (w.look != look.text) w.look = look.text, w.since = now;
    if (now - w.since >= (open ? patience_.with_silent : quiet_time(look.octets))) {
        events_.give_up(f);
        return false;
    }
    if (now - w.first >= patience_.with_writing) {
        given_up_.insert(f.path);
        return false;
    }
    if (now - w.first >= slow_time && !std::exchange(w.reported, true) && slow_writer_) slow_writer_(f.path);
    return true;
}

// A file that was renamed to this path, or to a link's target, is complete, and so is the file that it replaced.
bool file_watch::unsettled(const watched_file& f)
{
    events_.take_waiting();
    if (f.urgent || given_up_.contains(f.path)) return false;
    if (events_.is_written(f) || (f.changed() && !f.replaced())) return true;
    return !events_.is_watched(f) && !quiet_before(file_look{f.path}); // its writers are not known
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
