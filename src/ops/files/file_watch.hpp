// Reports when any of a set of files has changed: written in place, renamed over, or a symlink above it swapped (Kubernetes' ..data). A
// file that is being written is left alone until its writer has closed it, has been silent for long, or has taken too long. Where no event
// reported that the file is complete (it is in a network folder, or came with its directory), a shorter silence that grows with the file is
// enough. Watches the files and their directories, and also checks the files every few seconds, because a watch can end with its directory
// and does not see what other machines do in a network folder. Two writers of one file cannot be distinguished: the first close marks the
// file as complete. Lives on one io_context; `changed` is called on its thread.
#pragma once

#include <net/loop/kept_memory.hpp>
#include <ops/files/file_events.hpp>
#include <ops/files/watched_file.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace exeat::ops {

struct writer_patience { // for a writer that has not closed its file: while it writes, and after its last write
    std::chrono::milliseconds with_writing = std::chrono::minutes{5}, with_silent = std::chrono::seconds{60};
};

class file_watch {
public:
    using writer_handler = std::function<void(const std::string& path)>;

    // Throws std::system_error when the kernel gives no inotify instance. `slow_writer` is called once for each file whose writer takes
    // long.
    file_watch(boost::asio::io_context&, std::function<void()> changed, writer_handler slow_writer = {}, const writer_patience& = {});
    // Sets the watched files. A change is reported once, and again after forget(), which reports that the change was not handled.
    void files(std::vector<watched_file>);
    void forget() noexcept;
    // Whether the file is being written, or was written since it was last looked at: the content that was read may be incomplete.
    bool unsettled(const watched_file&);
    void stop();

private:
    using clock = std::chrono::steady_clock;
    struct waited_file {         // a changed file that may still be being written
        std::string look;        // as it was last seen
        clock::time_point since; // when `look` last changed
        clock::time_point first; // when the wait began
        bool reported = false;   // to slow_writer
    };

    void read_events();
    void look_soon(std::chrono::milliseconds);
    void look();
    void poll();
    bool still_written(clock::time_point now);
    bool still_written(const watched_file&, clock::time_point now);
    bool concerns(const watched_file&) const;

    file_events events_;
    boost::asio::posix::stream_descriptor inotify_; // a duplicate descriptor, used to wait
    boost::asio::steady_timer settle_, poll_;
    net::shared_kept_memory read_memory_, settle_memory_, poll_memory_; // reserved memory: restarting a wait cannot fail
    std::function<void()> changed_;
    writer_handler slow_writer_;
    const writer_patience patience_;
    std::vector<watched_file> files_;
    std::map<std::string, waited_file> waited_; // by path
    std::set<std::string> given_up_;            // paths whose writers took too long, until the next files()
    bool looking_ = false;
};

} // namespace exeat::ops
