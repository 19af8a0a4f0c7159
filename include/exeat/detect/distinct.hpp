// Estimates how many different values were seen, in 256 octets: HyperLogLog (Flajolet et al. 2007), standard error 6.5 %, with linear
// counting for small numbers. The caller's hash must be keyed; otherwise an attacker could choose values that count as one. Value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace exeat::detect {

class distinct {
public:
    bool add(std::uint64_t hash) noexcept; // whether a register changed; false for every value seen before
    double estimate() const noexcept;
    void clear() noexcept { registers_ = {}; }
    template <class Archive> void fields(Archive& a) { a(registers_); }

private:
    std::array<std::uint8_t, 256> registers_{};
};

} // namespace exeat::detect
