// Audit logs as streams of events: any size in constant memory, as they are or gzipped. What is no line of an audit log is skipped and
// counted, never passed over in silence. One thread; blocks.
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

    // Reads the file to its end; "-" is the standard input. What went wrong, or nothing.
    std::string read(const std::string& path);

    // The same for bytes that are there; end() is the end of a file, where the last line may be cut.
    void bytes(std::string_view);
    void end();

    struct counts {
        std::uint64_t events = 0;  // lines that were understood
        std::uint64_t foreign = 0; // that are none of an audit log's, or too long for one
        std::uint64_t cut = 0;     // last lines of files, without their end
    };
    const counts& read_so_far() const noexcept { return counts_; }

private:
    void line(std::string_view, std::uint64_t& otherwise);

    taker take_;
    counts counts_;
    std::string held_;      // a line's beginning
    bool skipping_ = false; // within a line that is too long
};

} // namespace exeat::ops
