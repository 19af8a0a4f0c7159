// The two halves of what DNS says of one name, A and AAAA, as they come in, and when they are an answer. Usually that is when both are
// there. Where one stays out, the other one is an answer by itself after resolution_delay (RFC 8305 section 3). The RFC has only AAAA
// waited for; here A and AAAA wait for each other alike, because one bad address in either refuses both. Time is handed in. One thread.
#pragma once

#include <exeat/enum_array.hpp>
#include <net/dns/dns_answer.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace exeat::net {

enum class dns_half : std::uint8_t { a, aaaa };

inline constexpr std::chrono::milliseconds resolution_delay{50}; // RFC 8305 section 8

class dns_halves {
public:
    using moment = std::chrono::steady_clock::time_point;

    // Each half comes once at most.
    void take(dns_half, dns_answer, moment now) noexcept;
    // Whatever else may come changes nothing: both are there, or one has too many addresses for any answer.
    bool complete() const noexcept;
    // From when on the half that is there is an answer by itself; none while there is no address, and where complete() says so.
    std::optional<moment> usable_alone() const noexcept;
    // What is there as one answer; a half that is not there counts as timed out. A failure when there is no memory.
    dns_answer joined() const noexcept;

private:
    const std::optional<dns_answer>& half(dns_half h) const noexcept { return halves_[h]; }
    dns_answer join() const;

    enum_array<dns_half, std::optional<dns_answer>, 2> halves_; // by dns_half
    moment last_came_{};
};

} // namespace exeat::net
