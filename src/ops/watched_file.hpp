// A file together with what it was like just before it was read, so that a change while it is read, or before anyone watches it, is not
// missed. Any thread.
#pragma once

#include <string>

namespace exeat::ops {

struct watched_file {
    explicit watched_file(std::string path); // looks at it now
    bool changed() const;                    // also when it came or went
    void forget() { looked_.clear(); }       // counts as changed
    std::string path;

private:
    std::string looked_;
};

} // namespace exeat::ops
