// D13 uniform_chunks: a hundred tunnels an hour that each upload the same amount, as when data is cut into pieces. One thread.
#pragma once

#include <exeat/bounded_table.hpp>
#include <exeat/detect/flow_event.hpp>
#include <exeat/detect/keys.hpp>
#include <exeat/detect/thresholds.hpp>
#include <exeat/limits.hpp>

#include <array>

namespace exeat::detect {

class chunk_watch {
public:
    chunk_watch(std::size_t capacity, std::uint64_t seed, const thresholds& than) : than_{than}, entries_{capacity, {seed}} {}

    void see(const flow_event&, findings&);
    void pass_on(const entry_heirs& to)
    {
        entries_.pass_on(to, [](const auto& a, const auto& b) { return a.count > b.count; });
    }

    template <class Archive> void fields(Archive& a) { a(entries_); }
    const auto& entries() const noexcept { return entries_; }

private:
    struct run {
        std::array<std::uint32_t, limits::chunk_sizes> sizes{}; // of the last tunnels
        std::array<moment, limits::chunk_sizes> at{};           // when they closed
        std::size_t count = 0;
        repeat_guard told;
        template <class Archive> void fields(Archive& a) { a(sizes, at, count, told); }
    };

    const thresholds& than_;
    bounded_table<client_key, run, client_key_hash> entries_;
};

} // namespace exeat::detect
