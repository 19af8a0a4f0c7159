// The two halves of the DNS answer for one name, A and AAAA, as they arrive, and when they count as an answer. Usually that is when both
// have arrived. When one is missing, the other one is an answer by itself after resolution_delay (RFC 8305 section 3). The RFC waits only
// for AAAA; here A and AAAA wait for each other alike, because one bad address in either refuses both. The time is a parameter. One thread.
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

    // Each half arrives at most once.
    void take(dns_half, dns_answer, moment now) noexcept;
    // No later half can change the answer: both have arrived, or one has too many addresses for any answer.
    bool complete() const noexcept;
    // When the half that has arrived becomes an answer by itself; nullopt while there is no address, and after complete().
    std::optional<moment> usable_alone() const noexcept;
    // All that has arrived, as one answer; a missing half counts as timed out. A failure when there is no memory.
    dns_answer joined() const noexcept;

private:
    const std::optional<dns_answer>& half(dns_half h) const noexcept { return halves_[h]; }
    dns_answer join() const;

    enum_array<dns_half, std::optional<dns_answer>, 2> halves_; // by dns_half
    moment last_came_{};
};

} // namespace exeat::net
