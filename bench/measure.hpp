// Counts, latencies and the CPU time of other processes between two moments.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace exeat::bench {

using instant = std::chrono::steady_clock::time_point;

class measure {
public:
    explicit measure(std::vector<pid_t> processes) : processes_{std::move(processes)} {}

    void begin();
    void end();
    bool running() const noexcept { return running_; }

    void operation(std::chrono::nanoseconds took);
    void bytes(std::size_t n) noexcept { bytes_ += running_ ? n : 0; }
    void failure(std::string why);

    std::uint64_t failures() const noexcept { return failed_; }
    std::string json();

private:
    double cpu_seconds() const;
    double quantile(double);

    std::vector<pid_t> processes_;
    std::vector<std::uint32_t> latencies_; // in 0.1 µs
    std::uint64_t failed_ = 0, bytes_ = 0;
    std::string first_failure_;
    instant began_, ended_;
    double cpu_ = 0;
    bool running_ = false;
};

} // namespace exeat::bench
