// The thresholds of the detectors. bench/detection calibrated the defaults; exeat.toml may set some of them. Octets, octets an hour,
// counts. Value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace exeat::detect {

struct thresholds {
    double drip_bytes = 64e6, drip_floor = 250e3; // D3: the bucket; what every client may upload an hour
    double flip_now = 0.4, flip_before = -0.5;    // D4: (up - down) / (up + down), of an hour and of a week
    std::uint64_t flip_bytes = 50u << 20;         // D4: least upload within the hour
    std::uint64_t first_seen_bytes = 8u << 20;    // D6: an hour, to a host that is new
    std::uint32_t long_tunnel_seconds = 3'600;    // D7: of a pull
    std::size_t beacon_gaps = 16;                 // D8
    double beacon_regular = 0.6, beacon_width = 0.3;
    std::uint32_t beacon_gap_seconds = 10;
    double denied_walk = 99;                     // D9: the threshold random walk
    std::uint32_t denied_burst = 50;             // D9: within five minutes
    double name_channel_bytes = 4'000;           // D11: an hour
    double fan_out_least = 5, fan_out_times = 3; // D12
    std::size_t chunks = 100;                    // D13: tunnels an hour
    std::uint64_t chunk_least = 16'000, chunk_most = 1'000'000;
    double chunk_spread = 0.05;    // median absolute deviation divided by the median
    double collusion_bytes = 16e6; // D15: in the drip bucket of each
    std::size_t collusion_clients = 3;
    bool operator==(const thresholds&) const = default;
};

} // namespace exeat::detect
