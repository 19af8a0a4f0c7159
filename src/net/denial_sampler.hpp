// Which denials get an audit line: all of them up to limits::audit_denials_per_second, beyond that none until the next second, when one
// line says how many it stands for. Counters are not sampled. Pure but for the caller's clock; one worker's thread.
#pragma once

#include <exeat/limits.hpp>
#include <net/audit_ring.hpp>

#include <chrono>
#include <optional>

namespace exeat::net {

class denial_sampler {
public:
    // The line to write now for this denial, if any.
    std::optional<audit_record> take(const audit_record& denial) noexcept
    {
        if (lines_ < limits::audit_denials_per_second) {
            ++lines_;
            return denial;
        }
        last_ = denial;
        ++withheld_;
        return std::nullopt;
    }
    // A second has passed: the line for what was withheld meanwhile, if anything was.
    std::optional<audit_record> next_second() noexcept
    {
        lines_ = 0;
        if (withheld_ == 0) return std::nullopt;
        last_.stands_for = withheld_;
        withheld_ = 0;
        return last_;
    }

private:
    std::size_t lines_ = 0;
    std::uint32_t withheld_ = 0;
    audit_record last_;
};

} // namespace exeat::net
