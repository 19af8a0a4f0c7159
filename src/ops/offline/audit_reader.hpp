// Reads audit logs as streams of events: files of any size in constant memory, plain or gzipped. What is not a line of an audit log is
// skipped and counted. One thread; blocks.
#pragma once

#include <ops/offline/logged_event.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace exeat::ops {

class audit_reader {
public:
    using taker = std::function<void(const logged_event&)>;
    explicit audit_reader(taker take) : take_{std::move(take)} {}

    // Reads the file to its end; "-" is the standard input. Returns what went wrong; empty: nothing.
    std::string read(const std::string& path);

    // The same for bytes in memory; end() marks the end of a file, where the last line may be cut.
    void bytes(std::string_view);
    void end();

    struct counts {
        std::uint64_t events = 0;  // lines that were understood
        std::uint64_t foreign = 0; // not a line of an audit log, or too long for one
        std::uint64_t cut = 0;     // last lines of files, without a newline and not understood
    };
    const counts& read_so_far() const noexcept { return counts_; }

private:
    void line(std::string_view, std::uint64_t& otherwise);

    taker take_;
    counts counts_;
    std::string held_;      // the start of a line
    bool skipping_ = false; // inside a line that is too long
};

} // namespace exeat::ops
