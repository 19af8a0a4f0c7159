// How many connections there may be, in all and from one source (client::key), over all workers. Relaxed atomics, no lock. It is counted in
// two cells of a keyed table and its count is the smaller one: others can only make it look busier when they meet it in both cells, which
// nobody can aim for without the key.
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

    // A counted place; gives itself back.
    class place {
    public:
        place(place&& o) noexcept : admission_{std::exchange(o.admission_, nullptr)}, source_{o.source_} {}
        place& operator=(place&&) = delete;
        ~place()
        {
            if (admission_) admission_->detach(source_);
        }
        // For a place taken unnamed, once it is known who asks. False: that source has as many as it may, and is not counted here.
        bool name(const ip_address& source) noexcept;

    private:
        friend class admission;
        place(admission& of, const std::optional<ip_address>& source) noexcept : admission_{&of}, source_{source} {}
        admission* admission_;
        std::optional<ip_address> source_;
    };
    // None: full.
    std::optional<place> enter(const ip_address& source) noexcept;
    // One of all places, for no source yet.
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
