// Limits the number of connections, in all and from one source (client::key), over all workers. Relaxed atomics, no lock. A source is
// counted in two cells of a keyed table, and its count is the smaller one: other sources can only make it look busier when they share both
// cells with it, which nobody can arrange without the key.
#pragma once

#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace exeat::net {

class admission {
public:
    admission(std::size_t connections, std::size_t per_source);

    // A counted place; the destructor returns it.
    class place {
    public:
        place(place&& o) noexcept : admission_{std::exchange(o.admission_, nullptr)}, source_{o.source_} {}
        place& operator=(place&&) = delete;
        ~place()
        {
            if (admission_) admission_->detach(source_);
        }
        // For an unnamed place, once its source is known. False: that source has its maximum, and is not counted here.
        bool name(const ip_address& source) noexcept;

    private:
        friend class admission;
        place(admission& of, const std::optional<ip_address>& source) noexcept : admission_{&of}, source_{source} {}
        admission* admission_;
        std::optional<ip_address> source_;
    };
    // nullopt: full.
    std::optional<place> enter(const ip_address& source) noexcept;
    // A place without a source yet. nullopt: full.
    std::optional<place> enter_unnamed() noexcept;
    std::size_t connections() const noexcept { return all_.load(std::memory_order_relaxed); }

private:
    using cell = std::atomic<std::uint32_t>;
    bool count(const ip_address& source) noexcept;
    void uncount(const ip_address& source) noexcept;
    void detach(const std::optional<ip_address>& source) noexcept;
    std::array<cell*, 2> cells_of(const ip_address&) const noexcept;

    const std::size_t most_, most_per_source_;
    const std::uint64_t key_;
    std::atomic<std::size_t> all_{0};
    std::unique_ptr<std::array<cell, limits::source_slots>> cells_;
};

} // namespace exeat::net
