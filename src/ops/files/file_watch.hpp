// Says when any of a set of files has changed, however it was changed: written in place, renamed over, or a symlink above it swapped
// (Kubernetes' ..data). A file that is being written is left alone until its writer has closed it, has been silent for long, or has been
// waited for long enough. Where no event said that it is whole (it is in a folder of another machine, or came with its directory), a
// shorter silence that grows with the file is enough. Watches the files, their directories and, because a watch can die with its directory
// and sees nothing of what other machines do in a network folder, looks at the files themselves every few seconds as well. Two writers of
// one file cannot be told apart: the first that closes it says that it is whole. Lives on one io_context; `changed` is called on its
// thread.
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

struct writer_patience { // with one that has not closed its file: while it writes, and after its last write
    std::chrono::milliseconds with_writing = std::chrono::minutes{5}, with_silent = std::chrono::seconds{60};
};

class file_watch {
public:
    using writer_handler = std::function<void(const std::string& path)>;

    // Throws std::system_error when the kernel gives no inotify instance. `slow_writer` is called once for each file whose writer keeps
    // others waiting.
    file_watch(boost::asio::io_context&, std::function<void()> changed, writer_handler slow_writer = {}, const writer_patience& = {});
    // From now on these. A change is reported once, and again when forget() says that it came to nothing.
    void files(std::vector<watched_file>);
    void forget() noexcept;
    // Whether somebody writes the file, or has written it since it was looked at: what was read of it may be half of it.
    bool unsettled(const watched_file&);
    void stop();

private:
    using clock = std::chrono::steady_clock;
    struct waited_file {         // a file that has changed, and that somebody may still be writing
        std::string look;        // as it was last seen
        clock::time_point since; // then
        clock::time_point first; // when it was first waited for
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
    boost::asio::posix::stream_descriptor inotify_; // a duplicate, to wait at
    boost::asio::steady_timer settle_, poll_;
    net::shared_kept_memory read_memory_, settle_memory_, poll_memory_; // what is not begun again would never be again
    std::function<void()> changed_;
    writer_handler slow_writer_;
    const writer_patience patience_;
    std::vector<watched_file> files_;
    std::map<std::string, waited_file> waited_; // by path
    std::set<std::string> given_up_;            // paths of writers that were waited for long enough, until the next files()
    bool looking_ = false;
};

} // namespace exeat::ops
