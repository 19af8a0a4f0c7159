// What was learnt of names, for as long as it may be believed: from limits::dns_ttl_floor to limits::dns_ttl_ceiling, a failure for
// limits::dns_negative_ttl; limits::dns_cache_entries at most. Time is handed in. One worker's thread.
#pragma once

#include <net/dns_channel.hpp>

#include <chrono>
#include <string>
#include <unordered_map>

namespace exeat::net {

class dns_cache {
public:
    using moment = std::chrono::steady_clock::time_point;

    // What is known of the name; null when nothing is. Valid until the next keep().
    const dns_answer* find(const std::string& name, moment now);
    void keep(const std::string& name, dns_answer, moment now);
    std::size_t size() const noexcept { return known_.size(); }

private:
    struct entry {
        dns_answer answer;
        moment expires;
    };
    std::unordered_map<std::string, entry> known_;
};

} // namespace exeat::net
