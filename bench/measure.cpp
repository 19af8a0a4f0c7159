#include "measure.hpp"

#include "loop.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace exeat::bench {

void measure::begin()
{
    running_ = true;
    began_ = std::chrono::steady_clock::now();
    cpu_ = cpu_seconds();
}

void measure::end()
{
    running_ = false;
    ended_ = std::chrono::steady_clock::now();
    cpu_ = cpu_seconds() - cpu_;
}

void measure::operation(std::chrono::nanoseconds took)
{
    if (running_) latencies_.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(took.count() / 100, UINT32_MAX)));
}

void measure::failure(std::string why)
{
    if (failed_++ == 0) first_failure_ = std::move(why);
}

// The kernel's own sum over all threads of a process, those that ended too, in nanoseconds: clock_getcpuclockid(3).
double measure::cpu_seconds() const
{
    double sum = 0;
    for (const auto pid : processes_) {
        clockid_t clock{};
        timespec t{};
        if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &t) != 0) fail("a process to measure is gone");
        sum += static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    }
    return sum;
}

double measure::quantile(double q)
{
    if (latencies_.empty()) return 0;
    const auto at = latencies_.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(latencies_.size() - 1));
    std::nth_element(latencies_.begin(), at, latencies_.end());
    return *at / 10.0;
}

std::string measure::json()
{
    std::replace_if(
        first_failure_.begin(), first_failure_.end(), [](unsigned char c) { return c < ' ' || c > '~' || c == '"' || c == '\\'; }, '.');
    char line[1024];
    const double seconds = std::chrono::duration<double>(ended_ - began_).count();
    std::snprintf(line, sizeof line,
                  R"({"operations": %zu, "failed": %llu, "bytes": %llu, "seconds": %.6f, "cpu_seconds": %.9f, )"
                  R"("p50_us": %.1f, "p99_us": %.1f, "max_us": %.1f, "failure": "%.300s"})",
                  latencies_.size(), static_cast<unsigned long long>(failed_), static_cast<unsigned long long>(bytes_), seconds, cpu_,
                  quantile(0.5), quantile(0.99), quantile(1), first_failure_.c_str());
    return line;
}

} // namespace exeat::bench
