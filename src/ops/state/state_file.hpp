// One file of the state directory, with which a process passes state to the next one: read at the start, then written periodically on a
// thread of its own, and once more at a clean end. If several processes share a directory, such as the old and the new one during an
// upgrade, only the first one writes. The next one starts with the content that was written last, and writes once the first has ended
// (flock(2) of `file`.lock). With a key, content that is not sealed with it is rejected (HMAC-SHA-256, RFC 2104, over the file's name and
// content). Without a directory nothing is kept.
#pragma once

#include <net/sockets/unique_fd.hpp>
#include <ops/process/log.hpp>
#include <ops/state/state_directory.hpp>
#include <ops/text/digest.hpp>

#include <atomic>
#include <boost/system/result.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

namespace exeat::ops {

// The content of an existing file without its seal, which must be right.
boost::system::result<std::string, std::string> read_state(const state_directory&, std::string_view name, std::size_t most);

// Appends the seal when there is a key. False: the seal cannot be computed.
bool seal_state(const state_directory&, std::string_view name, std::string& bytes);

class state_file {
public:
    struct words {
        std::string_view name;      // of the file
        std::string_view what;      // what the file contains
        std::string_view meanwhile; // the consequence while another process writes the file
        std::string_view otherwise; // the consequence when the file cannot be written
    };
    // Returns the content to write; `clean`: for the last time, at the end. Empty: it cannot be computed. Throws std::bad_alloc.
    using content = std::function<std::string(bool clean)>;

    // Throws std::system_error when the directory cannot be written.
    state_file(const state_directory&, const words&, const event_log&);
    ~state_file(); // stop()
    state_file(const state_file&) = delete;

    const std::string& path() const noexcept { return path_; } // empty: nothing is kept
    bool is_there() const;
    // Whether later events are missing from what was saved at `saved_at`: a crash left the file longer ago than limits::snapshot_grace, or
    // an older file was restored and the audit log continues after it.
    bool lacks_the_end(bool clean, wall_time saved_at, wall_time now) const noexcept;
    boost::system::result<std::string, std::string> read(std::size_t most) const;
    // Writes the file at once if no other process does. Otherwise `taken_over` is called when that process has ended, before the first
    // write, because that process may have written more than was read at the start. Throws std::system_error when the file cannot be
    // written.
    void claim(content, std::function<void()> taken_over = {});
    // Starts the thread; after claim(). `due`: whether there is anything to write; empty: always.
    void begin(std::chrono::seconds interval, std::function<bool()> due = {});
    // Writes it at once, unless another process does; after claim(). save() throws std::system_error when it cannot be written.
    void save();
    std::error_code try_save();
    void stop(); // writes a last time, with `clean`; idempotent
    // Replaces claim() and begin() for a file that is written after an event. One thread. False: it was not written.
    bool write_now(std::string bytes);

    // Any thread. The time of the last successful write, in seconds since 1970; 0: never.
    std::uint64_t saved_at() const noexcept { return saved_at_; }
    std::uint64_t saves() const noexcept { return saves_; } // number of successful writes
    bool keeps() const noexcept { return keeps_; }          // whether this process writes the file; any thread

private:
    bool take_over(); // true once no other process writes
    std::error_code write(bool clean);
    std::error_code write_bytes(std::string bytes);
    std::error_code report(std::error_code);
    void run(std::stop_token, std::chrono::seconds interval, const std::function<bool()>& due);

    const state_directory directory_;
    const std::string path_;
    const words words_;
    const event_log& log_;
    content content_;
    std::function<void()> taken_over_;
    std::atomic<std::uint64_t> saved_at_{0}, saves_{0};
    net::unique_fd lock_;
    std::atomic<bool> keeps_{false};
    bool failing_ = false;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

} // namespace exeat::ops
