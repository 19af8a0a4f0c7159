// Replaces a file atomically: after a crash there is either the old file or the new one, complete (rename(2), with fsync(2) of file and
// directory). Blocks; never on a worker.
#pragma once

#include <net/sockets/unique_fd.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace exeat::ops {

enum class readers : std::uint8_t { owner, all };

// A new version of a file: `path`.new.PID beside it, so that two processes do not write to the same file, until put() moves it into place.
class unfinished_file {
public:
    // `how`: flags for open(2) besides those that create and empty it. The directory must exist; is_open() is false if that failed.
    explicit unfinished_file(std::string path, readers = readers::owner, int how = 0);
    ~unfinished_file(); // removes the new file unless it was put into place
    unfinished_file(const unfinished_file&) = delete;

    bool is_open() const noexcept { return static_cast<bool>(fd_); }
    std::error_code error() const noexcept { return error_; } // of the last call that failed
    const net::unique_fd& file() const noexcept { return fd_; }
    std::error_code write(std::string_view);
    std::error_code sync();
    std::error_code put(); // into place, without fsync of the directory
    net::unique_fd take() noexcept { return std::move(fd_); }

private:
    std::error_code failed();

    const std::string path_, new_;
    net::unique_fd fd_;
    std::error_code error_;
    bool put_ = false;
};
// Removes what a killed process has left of such files in the directory. A process that is writing one reports an error and writes it
// again.
void remove_unfinished(const std::string& directory);

// The directory must exist.
std::error_code replace_file(const std::string& path, std::string_view content, readers = readers::owner);
// The same for content in parts; an empty part ends it. The file is put in place only if `whole` then returns true.
std::error_code replace_file_by_parts(const std::string& path, const std::function<std::string_view()>& next_part,
                                      const std::function<bool()>& whole, readers = readers::owner);
// Creates the file, and fails with std::errc::file_exists when it already exists.
std::error_code create_file(const std::string& path, std::string_view content, readers);

} // namespace exeat::ops
