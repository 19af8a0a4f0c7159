// Caches DNS answers, for limits::dns_ttl_floor to limits::dns_ttl_ceiling, failures for limits::dns_negative_ttl; at most
// limits::dns_cache_entries. A full cache drops an entry that has expired, and only when there is none the least recently used one. Each
// call costs O(1) amortised and does a bounded amount of work. The time is a parameter. One worker's thread.
#pragma once

#include <exeat/limits.hpp>
#include <net/dns/dns_answer.hpp>

#include <array>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace exeat::net {

class dns_cache {
public:
    using moment = std::chrono::steady_clock::time_point;

    // The cached answer for the name; null: none. Valid until the next call that is not const.
    const dns_answer* find(const std::string& name, moment now);
    void keep(const std::string& name, dns_answer, moment now);
    // Drops expired entries, at most limits::dns_cache_sweep; an entry can be dropped from the first whole second after its expiry on.
    void sweep(moment now) noexcept { drop_expired(now, limits::dns_cache_sweep); }
    std::size_t size() const noexcept { return known_.size(); }

private:
    template <class Tag> using hook =
        boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>, boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
    struct by_use;
    struct by_expiry;
    struct entry : hook<by_use>, hook<by_expiry> {
        const std::string* name = nullptr; // the key in `known_`
        dns_answer answer;
        moment expires;
    };
    template <class Tag> using list =
        boost::intrusive::list<entry, boost::intrusive::base_hook<hook<Tag>>, boost::intrusive::constant_time_size<false>>;

    // Seconds of expiry; more than the longest life, so that a bucket contains entries of one second only.
    static constexpr std::size_t buckets = 512;
    static_assert(buckets * std::chrono::seconds{1} > limits::dns_ttl_ceiling + std::chrono::seconds{2});

    entry& room_for(const std::string& name);
    void drop(entry&) noexcept;
    void drop_expired(moment now, std::size_t most) noexcept;

    // Before `known_`, because the entries unlink themselves when it is destroyed.
    std::array<list<by_expiry>, buckets> expiring_; // by the first whole second at which the entry has expired
    list<by_use> used_;                             // most recently used first
    std::int64_t next_ = 0;                         // the second whose bucket is next
    std::unordered_map<std::string, entry> known_;
};

} // namespace exeat::net
