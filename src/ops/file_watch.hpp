// Says when any of a set of files may have changed, however it was changed: written in place, renamed over, or a symlink above it swapped
// (Kubernetes' ..data). Watches their directories and, because a watch can die with its directory, looks at the files themselves every few
// seconds as well. Lives on one io_context; `changed` is called on its thread.
#pragma once

#include <net/kept_memory.hpp>
#include <ops/watched_file.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace exeat::ops {

class file_watch {
public:
    // Throws std::system_error when the kernel gives no inotify instance.
    file_watch(boost::asio::io_context&, std::function<void()> changed);
    // From now on these. A change is told once, and again when forget() says that it came to nothing.
    void files(std::vector<watched_file>);
    void forget() noexcept;
    void stop();

private:
    void read_events();
    void look_soon();
    void look();
    void poll();

    boost::asio::posix::stream_descriptor inotify_;
    boost::asio::steady_timer settle_, poll_;
    net::shared_kept_memory read_memory_, settle_memory_, poll_memory_; // what is not begun again would never be again
    std::function<void()> changed_;
    std::vector<watched_file> files_;
    std::vector<int> watches_;
    std::array<char, 4096> events_;
    bool looking_ = false;
};

} // namespace exeat::ops
