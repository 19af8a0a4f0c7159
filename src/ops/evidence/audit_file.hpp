// Where the audit log goes: a regular file, a pipe, a socket or a terminal. Owns the descriptor. The journal's thread.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace exeat::ops {

// How a file that was there already ends.
struct audit_tail {
    std::string last_whole; // the last line that is one of an audit log; of a file without one, the last that ended by itself
    std::string fragment;   // what follows it without being one, as a crash leaves it; without the newline that ends it
    std::uint64_t last = 0; // the number of last_whole; 0: it is no line of an audit log
};

// Of a regular file; of anything else, and of an empty file, an error.
boost::system::result<audit_tail, std::error_code> read_audit_tail(const std::string& path);

// The last line with this number; empty when it is not there, or the file cannot be read.
struct audit_line_found {
    std::string text;
    std::uint64_t end = 0; // octets of the file up to the line after it
};
audit_line_found find_audit_line(const std::string& path, std::uint64_t number);

// Gives what stands in the file from an octet on, line by line without their newlines, the last one also where it has none, until `take`
// returns false. What is longer than a line can be comes in pieces. False: it cannot be read.
bool read_audit_lines(const std::string& path, std::uint64_t from, const std::function<bool(std::string_view)>& take);

class audit_file {
public:
    explicit audit_file(std::string path); // "stdout" or a path; opens nothing yet
    ~audit_file();
    audit_file(const audit_file&) = delete;
    audit_file& operator=(const audit_file&) = delete;

    std::error_code open(); // nothing to do while it is open
    void close() noexcept;
    const std::string& path() const noexcept { return path_; }
    bool is_open() const noexcept { return fd_ >= 0; }
    // What stood there when open() last succeeded; absent for a new or empty file and for what is no file.
    const std::optional<audit_tail>& tail() const noexcept { return tail_; }
    // Writes a first part of `bytes` and says how much. No error and 0: it would block for longer than limits::audit_stall.
    std::error_code write_some(std::string_view bytes, std::size_t& written) noexcept;
    void take_back(std::size_t octets) noexcept; // the last octets written, where the file allows it
    bool vanished() const noexcept;              // the path is no longer this file: moved or deleted
    std::uint64_t size() const noexcept;         // octets; 0 for what is no file
    std::error_code sync() const noexcept;       // all of it is on the disk; nothing to do for what is no file
    // Whether its disk still takes anything: a byte in an unnamed file beside it, or the file itself where that cannot be made. Nothing to
    // do for what is no file.
    std::error_code probe() const noexcept;
    bool is_regular() const noexcept { return kind_ == kind::regular && path_ != "stdout"; }
    bool low_on_space() const noexcept; // its volume has less left than limits::audit_space and limits::audit_space_part

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
