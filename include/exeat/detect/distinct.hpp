// How many different values were seen, in 256 octets: HyperLogLog (Flajolet et al. 2007), standard error 6.5 %, with linear counting
// for few. The hash is the caller's and must be keyed, or values could be chosen that count as one. Value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace exeat::detect {

class distinct {
public:
    bool add(std::uint64_t hash) noexcept; // whether it changed anything: true for every value that is new to a register
    double estimate() const noexcept;
    void clear() noexcept { registers_ = {}; }
    template <class Archive> void fields(Archive& a) { a(registers_); }

private:
    std::array<std::uint8_t, 256> registers_{};
};

} // namespace exeat::detect
