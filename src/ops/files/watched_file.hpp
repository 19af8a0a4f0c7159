// A file together with what it was like just before it was read, so that a change while it is read, or before anyone watches it, is not
// missed. Any thread.
#pragma once

#include <ops/files/content_trace.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace exeat::ops {

struct watched_file {
    explicit watched_file(std::string path); // looks at it now
    bool changed() const;                    // also when it came or went
    bool replaced() const;                   // another file is there now, or none: it was not written in place
    void look_again();                       // as it is now, it counts as seen
    void forget() { looked_.clear(); }       // counts as changed
    // Written in place since `before`, and now no more than the beginning of that: whoever writes it may not be through.
    bool shortened(const watched_file& before) const noexcept;

    std::string path;
    bool urgent = false;                            // a change is reported at once, whoever is still writing this or another one
    std::shared_ptr<const content_trace> content{}; // as it was read; null: it was not

private:
    std::string looked_;
};

// What can be seen of a file without reading it: which one it is and when it changed; equal while nothing happens to it.
struct file_look {
    explicit file_look(const std::string& path);
    std::string text;
    std::uint64_t octets = 0;
    std::chrono::system_clock::time_point written{}; // last; the epoch where nothing is there
};

} // namespace exeat::ops
