#include <ops/approvals/state_lock.hpp>

#include <exeat/limits.hpp>

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>

namespace exeat::ops {

state_lock::state_lock(const std::string& directory)
{
    using clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds pause{20};
    const auto path = directory + "/policy.lock";
    const auto cannot = [&] { return fmt::format("{} cannot be locked: {}", path, std::generic_category().message(errno)); };
    file_ = net::unique_fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)};
    if (!file_) {
        wrong_ = errno == ENOENT ? directory + ": this directory of 'state' is not there; make it, for exeat's own user" : cannot();
        return;
    }
    for (const auto until = clock::now() + limits::state_lock_time; ::flock(file_.value(), LOCK_EX | LOCK_NB) != 0;) {
        if (errno != EWOULDBLOCK && errno != EINTR) wrong_ = cannot();
        else if (clock::now() >= until) wrong_ = path + " is held by another process; see which one is stopped or hangs";
        if (!wrong_.empty()) return;
        std::this_thread::sleep_for(pause);
    }
}

} // namespace exeat::ops
