// The destination of the audit log: a regular file, a pipe, a socket or a terminal. Owns the descriptor. The journal's thread.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace exeat::ops {

// The end of a file that already exists.
struct audit_tail {
    std::string last_whole; // the last line of an audit log; in a file without one, the last complete line
    std::string fragment;   // what a crash left after it, without the newline that ends it
    std::uint64_t last = 0; // the number of last_whole; 0: it is not a line of an audit log
};

// For a regular file; any other file and an empty file are an error.
boost::system::result<audit_tail, std::error_code> read_audit_tail(const std::string& path);

// The last line with this number; empty when there is none or the file cannot be read.
struct audit_line_found {
    std::string text;
    std::uint64_t end = 0; // the offset of the line after it, in octets
};
audit_line_found find_audit_line(const std::string& path, std::uint64_t number);

// Passes the lines of the file from an offset on to `take`, without their newlines, until `take` returns false. The last line may lack its
// newline. A line that is longer than the limit is passed in pieces. False: the file cannot be read.
bool read_audit_lines(const std::string& path, std::uint64_t from, const std::function<bool(std::string_view)>& take);

class audit_file {
public:
    explicit audit_file(std::string path); // "stdout" or a path; opens nothing yet
    ~audit_file();
    audit_file(const audit_file&) = delete;
    audit_file& operator=(const audit_file&) = delete;

    std::error_code open(); // does nothing while it is open
    void close() noexcept;
    const std::string& path() const noexcept { return path_; }
    bool is_open() const noexcept { return fd_ >= 0; }
    // The end of the file when open() last succeeded; absent for a new or empty file and for anything but a regular file.
    const std::optional<audit_tail>& tail() const noexcept { return tail_; }
    // Writes a first part of `bytes` and returns its size in `written`. No error and 0: it would block for longer than limits::audit_stall.
    std::error_code write_some(std::string_view bytes, std::size_t& written) noexcept;
    void take_back(std::size_t octets) noexcept; // removes the last octets written, where the file allows it
    bool vanished() const noexcept;              // the path is no longer this file: moved or deleted
    std::uint64_t size() const noexcept;         // octets; 0 for anything but a regular file
    std::error_code sync() const noexcept;       // writes all of it to the disk; does nothing for anything but a regular file
    // Tests whether its disk accepts writes: writes a byte to an unnamed file beside it, or syncs the file itself when none can be created.
    // Does nothing for anything but a regular file.
    std::error_code probe() const noexcept;
    bool is_regular() const noexcept { return kind_ == kind::regular && path_ != "stdout"; }
    bool is_out_of_space() const noexcept; // its volume has nothing left
    bool low_on_space() const noexcept;    // its volume has less left than limits::audit_space and limits::audit_space_part

private:
    enum class kind : std::uint8_t { regular, socket, other };
    std::error_code read_tail();
    std::error_code end_last_line() const;
    bool waits_for_room() const noexcept;

    std::string path_;
    int fd_ = -1;
    kind kind_ = kind::other;
    std::optional<audit_tail> tail_;
};

} // namespace exeat::ops
