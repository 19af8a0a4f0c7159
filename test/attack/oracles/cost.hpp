// What an adversary's input costs beside an honest one of the same size: CPU time of this thread, the least of several runs, compared
// within the same run and as a ratio, so that neither the machine nor its load decides.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace exeat::oracles {

inline constexpr double most_beside_honest = 20; // times the CPU of the honest input
inline constexpr double most_growth = 3;         // times the CPU for twice the size: two is linear, four is a square
inline constexpr int attempts = 5;               // a neighbour of this machine spoils one or two of them; what is a square is one each time

struct gate {
    std::string_view name;
    std::function<std::string(std::size_t octets)> honest, adversarial; // of about so many octets
    std::function<std::size_t(std::string_view)> run; // the parser; what it returns keeps the compiler from leaving it out
    std::size_t octets;                               // the largest that the parser takes
};

inline double now() noexcept
{
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// Seconds of CPU for one call, the least of several measurements.
inline double least_cost(const std::function<std::size_t()>& call)
{
    constexpr double long_enough = 1e-3;
    constexpr int repetitions = 7;
    static volatile std::size_t sink = 0;
    double least = 1e9;
    std::size_t rounds = 1;
    for (int n = 0; n < repetitions;) {
        const auto began = now();
        for (std::size_t i = 0; i < rounds; ++i) sink = sink + call();
        const auto took = now() - began;
        if (took < long_enough) {
            rounds *= 2;
            continue;
        }
        least = std::min(least, took / static_cast<double>(rounds));
        ++n;
    }
    return least;
}

// A pair of sockets with which to find out what it costs to have received so many octets: whatever is read was received first, also what
// a parser has only to step over.
class receiver {
public:
    receiver()
    {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) != 0) std::abort();
    }
    receiver(const receiver&) = delete;
    ~receiver()
    {
        for (const int end : ends_) ::close(end);
    }
    double cost(const std::string& input, std::size_t segment = whole)
    {
        return least_cost([&] { return pass(input, segment); });
    }
    static constexpr std::size_t whole = 16 * 1024; // what one read takes, about

private:
    std::size_t pass(std::string_view in, std::size_t segment)
    {
        for (; !in.empty(); in.remove_prefix(std::min(in.size(), segment))) {
            const auto part = in.substr(0, segment);
            if (::write(ends_[0], part.data(), part.size()) != static_cast<ssize_t>(part.size())) std::abort();
            if (::recv(ends_[1], room_.data(), part.size(), MSG_WAITALL) != static_cast<ssize_t>(part.size())) std::abort();
        }
        return room_.size();
    }
    std::array<int, 2> ends_{};
    std::vector<char> room_ = std::vector<char>(whole);
};

inline double cost(const gate& g, const std::string& input)
{
    static receiver from;
    return from.cost(input) + least_cost([&] { return g.run(input); });
}

struct measured {
    bool good;
    double by_octet, beside_honest, growth;
};

inline measured measure(const gate& g)
{
    const auto whole = g.adversarial(g.octets), half = g.adversarial(g.octets / 2), honest = g.honest(g.octets);
    const double of_whole = cost(g, whole), by_octet = of_whole / static_cast<double>(whole.size());
    const double of_honest = cost(g, honest) / static_cast<double>(honest.size());
    const double scale =
        2 * static_cast<double>(half.size()) / static_cast<double>(whole.size()); // of inputs that are not quite twice as long
    const double growth = of_whole / cost(g, half) * scale;
    return {by_octet <= most_beside_honest * of_honest && growth <= most_growth, by_octet, by_octet / of_honest, growth};
}

// Says what it measured; true when it is within the bounds.
inline bool holds(const gate& g)
{
    auto m = measure(g);
    for (int n = 1; n < attempts && !m.good; ++n) m = measure(g);
    std::printf("%s %-52.*s %8.2f ns/octet, %6.2f x honest, %5.2f x for twice the size\n", m.good ? "passed" : "FAILED",
                static_cast<int>(g.name.size()), g.name.data(), m.by_octet * 1e9, m.beside_honest, m.growth);
    return m.good;
}

// The same for what comes in segments of so many octets, all of it looked at again with each: beside segments that are received and no
// more.
inline bool holds_in_segments(const gate& g, std::size_t segment)
{
    static receiver from;
    const auto by_segment = [&](std::string_view in) {
        std::size_t sum = 0;
        for (std::size_t seen = segment; seen < in.size(); seen += segment) sum += g.run(in.substr(0, seen));
        return sum;
    };
    const auto whole = g.adversarial(g.octets), half = g.adversarial(g.octets / 2);
    const double received = from.cost(whole, segment), of_whole = received + least_cost([&] { return by_segment(whole); });
    const double of_half = from.cost(half, segment) + least_cost([&] { return by_segment(half); });
    const double growth = of_whole / of_half * 2 * static_cast<double>(half.size()) / static_cast<double>(whole.size());
    const bool good = of_whole <= most_beside_honest * received;
    std::printf("%s %-52.*s %6.2f x receiving it, %5.2f x for twice the size\n", good ? "passed" : "FAILED",
                static_cast<int>(g.name.size()), g.name.data(), of_whole / received, growth);
    return good;
}

} // namespace exeat::oracles
