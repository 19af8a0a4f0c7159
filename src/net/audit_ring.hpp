// The way of an event from a worker to the audit log: plain records through a single-producer single-consumer ring. The worker only
// copies bytes; the journal's thread (ops/journal) formats and writes. The ring is owned by the worker and outlives the journal's use of
// it.
#pragma once

#include <exeat/ending.hpp>
#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>
#include <exeat/verdict.hpp>
#include <net/counters.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace exeat::net {

// Text of a bounded length, kept in place; what does not fit is cut and marked.
class bounded_text {
public:
    bounded_text() = default;
    bounded_text(std::string_view s) noexcept
        : size_{static_cast<std::uint8_t>(std::min(s.size(), limits::audit_client_octets))}, cut_{s.size() > limits::audit_client_octets}
    {
        std::memcpy(text_.data(), s.data(), size_);
    }
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

struct audit_record {
    audit_action action = audit_action::open;
    verdict said = verdict::allowed; // deny: why. open: what report mode let pass, or allowed
    ending ended = ending::finished; // close
    request_mode mode = request_mode::connect;
    bool ech = false;
    bool by_wildcard = false;   // the entry names the host by a wildcard
    bool over_new_host = false; // what it may send to a host that is new to its client is spent
    std::uint64_t id = 0;       // of the tunnel or exchange, unique in the process; the reply's request id
    std::uint64_t policy = 0;   // generation of the policy that judged it
    std::chrono::system_clock::time_point at;
    std::chrono::nanoseconds duration{0}; // since the connection was accepted
    ip_address source;
    std::uint16_t source_port = 0;
    std::uint32_t group_slot = 0;
    std::uint32_t rule_slot = 0;            // 0: no rule
    std::uint64_t upload = 0, download = 0; // so far
    ip_address peer;                        // the upstream's address; all zero when there is none
    std::uint16_t port = 0;                 // asked for; 0 when it could not be read
    std::uint32_t stands_for = 1;           // deny: how many denials this line stands for, itself included
    bounded_text host;                      // canonical name, or what the client sent where it could not be read
    bounded_text server_name;               // SNI; empty where none was seen
};

class audit_ring {
public:
    audit_ring() : records_{std::make_unique<audit_record[]>(limits::audit_ring_records)} {}

    // Worker's side. False when the ring is full; opens must keep `reserve` places free for closes.
    bool push(const audit_record& r, std::size_t reserve = 0) noexcept
    {
        const auto tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_.load(std::memory_order_acquire) + reserve >= limits::audit_ring_records) return false;
        records_[tail % limits::audit_ring_records] = r;
        tail_.store(tail + 1, std::memory_order_release);
        return true;
    }
    // Journal's side: the oldest record, or null. It stays valid until pop().
    const audit_record* front() const noexcept
    {
        const auto head = head_.load(std::memory_order_relaxed);
        return head == tail_.load(std::memory_order_acquire) ? nullptr : &records_[head % limits::audit_ring_records];
    }
    void pop() noexcept { head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

private:
    std::unique_ptr<audit_record[]> records_;
    alignas(64) std::atomic<std::uint64_t> head_{0};
    alignas(64) std::atomic<std::uint64_t> tail_{0};
};

} // namespace exeat::net
