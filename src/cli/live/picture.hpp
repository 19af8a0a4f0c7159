// What is known of one exeat, of the last look and of the one before, whose difference is a rate. Pure: moments are handed in. One thread.
#pragma once

#include <cli/live/answers.hpp>
#include <cli/live/numbers.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace exeat::cli::live {

using moment = std::chrono::steady_clock::time_point;

template <class Answer> struct looks {
    std::optional<Answer> last, before;
    moment at{}; // of the last
    std::chrono::duration<double> between{0};

    void take(Answer now, moment when)
    {
        before = std::exchange(last, std::move(now));
        between = when - std::exchange(at, when);
    }
};

struct picture {
    std::string host; // where it is: "127.0.0.1:9464"
    charset can = charset::ascii;
    looks<status_answer> status;
    looks<tunnels_answer> tunnels;
    std::string trouble;         // why the last look at the status failed; empty: it did not
    std::string tunnels_trouble; // the same for the tunnels

    void take(status_answer, moment);
    void take(tunnels_answer, moment);
    rate rate_of(std::uint64_t status_answer::*total) const; // such as &status_answer::denied
};

} // namespace exeat::cli::live
