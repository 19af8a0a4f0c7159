// Carries events from a worker to the audit log: plain records in a single-producer single-consumer ring. The worker only copies bytes; the
// journal's thread (ops/journal) formats and writes. The ring is owned by the worker and outlives the journal's use of it. It holds
// limits::audit_ring_records of any size, and uses memory only for the records that wait in it.
#pragma once

#include <exeat/ending.hpp>
#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>
#include <exeat/rule.hpp>
#include <exeat/verdict.hpp>
#include <net/counters.hpp>
#include <net/loop/untouched_pages.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>

namespace exeat::net {

// Text of bounded length, stored in place; longer text is cut and marked.
class bounded_text {
public:
    bounded_text() = default;
    bounded_text(std::string_view s) noexcept
        : size_{static_cast<std::uint8_t>(std::min(s.size(), limits::audit_client_octets))}, cut_{s.size() > limits::audit_client_octets}
    {
        std::memcpy(text_.data(), s.data(), size_);
    }
    bounded_text(std::string_view s, bool cut) noexcept : bounded_text{s} { cut_ |= cut; } // for a text that was already cut
    bounded_text(const bounded_text& o) noexcept : size_{o.size_}, cut_{o.cut_} { std::memcpy(text_.data(), o.text_.data(), size_); }
    bounded_text& operator=(const bounded_text& o) noexcept
    {
        size_ = o.size_, cut_ = o.cut_;
        std::memmove(text_.data(), o.text_.data(), size_);
        return *this;
    }
    std::string_view str() const noexcept { return {text_.data(), size_}; }
    bool cut() const noexcept { return cut_; }

private:
    std::uint8_t size_ = 0;
    bool cut_ = false;
    std::array<char, limits::audit_client_octets> text_; // only the first size_ are set
};

enum class audit_action : std::uint8_t { open, deny, progress, close };

// A record without its texts.
struct audit_fields {
    audit_action action = audit_action::open;
    enum verdict verdict = verdict::allowed; // deny: why. open: what report mode let pass, or allowed
    ending ended = ending::finished;         // close
    request_mode mode = request_mode::connect;
    bool ech = false;
    bool by_wildcard = false;                   // the entry names the host by a wildcard
    bool over_new_host = false;                 // its budget for a host that is new to its client is spent
    dns_result resolved = dns_result::answered; // deny for dns_failure: how the look-up ended
    std::uint64_t id = 0;                       // of the tunnel or exchange, unique in the process; the request id in replies
    std::uint64_t policy = 0;                   // generation of the policy that judged it
    std::chrono::system_clock::time_point at;
    std::chrono::nanoseconds duration{0}; // since the connection was accepted
    ip_address source;
    ip_address client;     // client::key, by which limits and budgets count it
    ip_address identity{}; // pod::identity; all zero: the client is no pod
    std::uint16_t source_port = 0;
    std::uint32_t group_slot = 0;
    std::uint32_t rule_slot = 0; // for its label
    std::uint64_t rule_id = 0;   // rule::id; 0: no rule
    enum purpose rule_purpose = purpose::pull;
    std::uint64_t upload = 0, download = 0; // so far
    ip_address peer;                        // the upstream's address, or the refused one; all zero: none
    std::uint16_t port = 0;                 // requested port; 0: it could not be read
    std::uint32_t stands_for = 1;           // deny, close: number of events that this line sums, including its own
};

struct audit_record : audit_fields {
    bounded_text host;        // canonical name; empty: no target could be read
    bounded_text server_name; // SNI; empty: none was seen
};

// A record in the ring; its texts follow it.
struct audit_entry {
    audit_fields fields;
    std::uint8_t host_octets, server_name_octets;
    bool host_cut, server_name_cut;
};
static_assert(std::is_trivially_copyable_v<audit_entry>);
static_assert(sizeof(audit_record) < sizeof(audit_fields) + 2 * sizeof(bounded_text) + alignof(audit_fields), "the ring knows two texts");

constexpr std::size_t entry_octets(std::size_t texts) noexcept
{
    return (sizeof(audit_entry) + texts + alignof(audit_entry) - 1) / alignof(audit_entry) * alignof(audit_entry);
}

class audit_ring {
public:
    audit_ring(); // throws std::bad_alloc

    // Worker's side. False when the ring is full; opens must keep `reserve` places free for closes.
    bool push(const audit_record&, std::size_t reserve = 0) noexcept;
    bool has_room(std::size_t reserve) const noexcept // for one more record
    {
        const auto used = tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_acquire);
        return used + reserve < limits::audit_ring_records;
    }
    // Worker's side, from time to time: returns the memory that a burst has touched, once the journal has taken all records.
    void give_back() noexcept;

    // Journal's side: the oldest record, or null. It stays valid until pop().
    const audit_record* front() noexcept;
    void pop() noexcept { head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

private:
    // One more entry for the end that the next one did not fit in, and one for the next one: place() needs no check.
    static constexpr std::size_t octets = (limits::audit_ring_records + 2) * entry_octets(2 * limits::audit_client_octets);

    std::size_t place(std::size_t size, std::uint64_t head, std::uint64_t tail) const noexcept;

    untouched_pages entries_{octets};
    const std::unique_ptr<std::uint32_t[]> places_; // offsets in entries_ of the records from head_ to tail_
    alignas(64) std::atomic<std::uint64_t> head_{0};
    audit_record oldest_; // the journal's: the record that front() has read
    alignas(64) std::atomic<std::uint64_t> tail_{0};
    std::size_t next_ = 0, touched_ = 0; // the worker's: end of the last entry, and end of the memory in use
};

} // namespace exeat::net
