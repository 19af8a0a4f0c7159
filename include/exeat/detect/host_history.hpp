// D6 first_seen: large uploads to a host that the client, itself not new, has not used for a fortnight: a new drop site. Where a budget for
// such hosts is enforced, events report when it is spent. D8 beacon: such a host is contacted again and again at the same interval: command
// and control. One thread.
#pragma once

#include <exeat/bounded_table.hpp>
#include <exeat/detect/flow_event.hpp>
#include <exeat/detect/keys.hpp>
#include <exeat/detect/thresholds.hpp>

#include <array>
#include <optional>

namespace exeat::detect {

class host_history {
public:
    host_history(std::size_t capacity, std::uint64_t seed, const thresholds&);

    void see(const flow_event&, findings&);

    // Describes the host of the last event, if that opened a tunnel to a host that is new to its client.
    struct meeting {
        moment until{0};           // the end of the time in which it is new
        std::uint64_t hour_up = 0; // bytes already uploaded to it in the current hour
    };
    const std::optional<meeting>& met() const noexcept { return met_; }
    // The same for a tunnel that would be opened now, before its event is seen; `client` as flow_event::acquainted().
    std::optional<meeting> would_meet(const ip_address& client, std::string_view to, moment now) const;

    template <class Archive> void fields(Archive& a) { a(hosts_, clients_); }
    const auto& hosts() const noexcept { return hosts_; }

private:
    static constexpr std::size_t most_gaps = 32;
    struct host {
        moment since{0}, last{0}, hour_began{0}, opened{0};
        std::uint64_t hour_up = 0;
        std::size_t gap_count = 0;
        bool begun = false, new_to_client = false;
        repeat_guard told_first, told_beacon;
        std::array<std::uint32_t, most_gaps> gaps{}; // last intervals between openings, in seconds; after the fields that every event reads
        template <class Archive> void fields(Archive& a)
        {
            a(since, last, hour_began, opened, hour_up, gaps, gap_count, begun, new_to_client, told_first, told_beacon);
        }
    };
    struct person {
        moment since{0}, last{0};
        bool begun = false;
        template <class Archive> void fields(Archive& a) { a(since, last, begun); }
    };

    void meet(host&, const flow_event&, bool known);
    static bool is_new(const host&, moment now) noexcept;
    void weigh(host&, const flow_event&, findings&) const;
    void listen(host&, const flow_event&, findings&) const;
    void listen_to_pod(const flow_event&, std::uint64_t to, moment since, bool is_new, findings&);

    const std::uint64_t seed_;
    const thresholds& than_;
    std::optional<meeting> met_;
    bounded_table<client_key, host, client_key_hash> hosts_;
    bounded_table<client_key, person, client_key_hash> clients_;
};

} // namespace exeat::detect
