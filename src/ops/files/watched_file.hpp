// A file with its state just before it was read, so that a change during the read, or before the file is watched, is not missed. Any
// thread.
#pragma once

#include <ops/files/content_trace.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace exeat::ops {

struct watched_file {
    explicit watched_file(std::string path); // looks at it now
    bool changed() const;                    // also when it was created or removed
    bool replaced() const;                   // another file or none is there now: it was not written in place
    void look_again();                       // its present state counts as seen
    void forget() { looked_.clear(); }       // makes it count as changed
    // Written in place since `before`, and now only the beginning of that content: the writer may not have finished.
    bool shortened(const watched_file& before) const noexcept;

    std::string path;
    bool urgent = false;                            // a change is reported at once, even while this or another file is being written
    std::shared_ptr<const content_trace> content{}; // as it was read; null: it was not read

private:
    std::string looked_;
};

// The properties of a file that are visible without reading it, such as its identity and times; equal while the file is unchanged.
struct file_look {
    explicit file_look(const std::string& path);
    std::string text;
    std::uint64_t octets = 0;
    std::chrono::system_clock::time_point written{}; // the last modification; the epoch when there is no file
};

} // namespace exeat::ops
