// Data in names. D11 name_channel: under a wildcard every new label carries bits to the name servers of the suffix. D12 fan_out: a client
// uses far more names of a wildcard than before, perhaps with the attacker's own account among them. One thread.
#pragma once

#include <exeat/bounded_table.hpp>
#include <exeat/detect/distinct.hpp>
#include <exeat/detect/flow_event.hpp>
#include <exeat/detect/keys.hpp>
#include <exeat/detect/thresholds.hpp>

#include <array>

namespace exeat::detect {

class name_watch {
public:
    name_watch(std::size_t capacity, std::uint64_t seed, const thresholds& than) : seed_{seed}, than_{than}, entries_{capacity, {seed}} {}

    void see(const flow_event&, findings&);
    void pass_on(const entry_heirs& to)
    {
        entries_.pass_on(to, [](const auto& a, const auto& b) { return a.news > b.news; });
    }

    template <class Archive> void fields(Archive& a) { a(entries_); }
    const auto& entries() const noexcept { return entries_; }

private:
    struct use {
        distinct hour_names, day_names;
        double octets = 0;      // length of the names counted in `news`
        std::uint32_t news = 0; // names that changed a register of hour_names
        moment hour_began{0}, day_began{0};
        std::array<float, 7> days{}; // number of names on each of the last days
        std::size_t day = 0;
        bool begun = false;
        repeat_guard told_channel, told_fan;
        template <class Archive> void fields(Archive& a)
        {
            a(hour_names, day_names, octets, news, hour_began, day_began, days, day, begun, told_channel, told_fan);
        }
    };

    void turn(use&, moment now) const;
    void channel(use&, const flow_event&, std::uint64_t name, findings&) const;
    void fan(use&, const flow_event&, std::uint64_t name, findings&) const;

    const std::uint64_t seed_;
    const thresholds& than_;
    bounded_table<client_key, use, client_key_hash> entries_;
};

} // namespace exeat::detect
