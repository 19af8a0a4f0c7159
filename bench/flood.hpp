// Bytes without end, sent from a file in memory so that the sender copies nothing: the proxy in the middle is what is measured.
#pragma once

#include "loop.hpp"

namespace exeat::bench {

class flood {
public:
    flood();
    // As much as the socket takes now: bytes, again, or broken.
    long pour(int fd) const;

private:
    unique_fd file_;
};

} // namespace exeat::bench
