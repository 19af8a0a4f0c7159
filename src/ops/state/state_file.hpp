// One file of the state directory, by which a process tells the next one what it knows: read at the start, then written every so often on
// a thread of its own, and once more at a clean end. Of several processes with one directory, such as the old and the new one of an
// upgrade, one writes: the first. The next one begins with what that wrote last, and writes when the first has ended (flock(2) of
// `file`.lock). Where there is a key, what was not sealed with it is not read (HMAC-SHA-256, RFC 2104, over the file's name and content).
// Without a directory nothing is kept.
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

// The content of a file that is there, where its seal is right.
boost::system::result<std::string, std::string> read_state(const state_directory&, std::string_view name, std::size_t most);

// Appends the seal, where there is a key. False: it cannot be made.
bool seal_state(const state_directory&, std::string_view name, std::string& bytes);

class state_file {
public:
    struct words {
        std::string_view name;      // of the file
        std::string_view what;      // stands in it
        std::string_view meanwhile; // is so while another process writes it
        std::string_view otherwise; // is so when it cannot be written
    };
    // What is to stand in it, `clean` at the end; empty: it cannot be made. Throws std::bad_alloc.
    using content = std::function<std::string(bool clean)>;

    // Throws std::system_error where the directory cannot be written.
    state_file(const state_directory&, const words&, const event_log&);
    ~state_file(); // stop()
    state_file(const state_file&) = delete;

    const std::string& path() const noexcept { return path_; } // empty: nowhere
    bool is_there() const;
    // Whether what was saved then leaves out what came later: a crash left it long ago, or it was put back and the audit log goes on after
    // it.
    bool lacks_the_end(bool clean, wall_time saved_at, wall_time now) const noexcept;
    boost::system::result<std::string, std::string> read(std::size_t most) const;
    // Writes it at once, where no other process does. Throws std::system_error when it cannot be. Where one does, `taken_over` is called
    // when that has ended, before the first write: what it left last may be further than what was read at the start.
    void claim(content, std::function<void()> taken_over = {});
    // The thread; after claim(). `due`: whether there is anything to write; empty: always.
    void begin(std::chrono::seconds interval, std::function<bool()> due = {});
    void save(); // at once, where no other process writes; after claim(). Throws std::system_error when it cannot be written
    void stop(); // the last time, a clean one; idempotent
    // Instead of claim() and begin(), for what is written when something has happened. One thread. False: it was not written.
    bool write_now(std::string bytes);

    // Any thread. Seconds since 1970 of the last time that the disk took it; 0: never.
    std::uint64_t saved_at() const noexcept { return saved_at_; }
    std::uint64_t saves() const noexcept { return saves_; } // how often the disk took it
    bool keeps() const noexcept { return keeps_; }          // writes it; any thread

private:
    bool take_over(); // when nobody else writes any longer
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
