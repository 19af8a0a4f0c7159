// The state of one exeat in the last look and in the one before; rates are their differences. Pure: the time is a parameter. One thread.
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
    moment at{}; // time of the last look
    std::chrono::duration<double> between{0};

    void take(Answer now, moment when)
    {
        before = std::exchange(last, std::move(now));
        between = when - std::exchange(at, when);
    }
};

struct picture {
    std::string host; // the Host of the admin listener: "127.0.0.1:9464"
    charset can = charset::ascii;
    looks<status_answer> status;
    looks<tunnels_answer> tunnels;
    std::string trouble;         // why the last look at the status failed; empty: it succeeded
    std::string tunnels_trouble; // the same for the tunnels

    void take(status_answer, moment);
    void take(tunnels_answer, moment);
    rate rate_of(std::uint64_t status_answer::*total) const; // such as &status_answer::denied
};

} // namespace exeat::cli::live
