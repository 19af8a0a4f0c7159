// A worker's side of the audit log: gives every request its id, writes records into the ring, keeps records that must not be lost while the
// ring is full, and sums events that have no line of their own: denials and plain-HTTP exchanges beyond their client's share of lines, or
// while all clients together have used up theirs. One worker's thread; the ring and the rates outlive it.
#pragma once

#include <exeat/config.hpp>
#include <net/audit/audit_ring.hpp>
#include <net/audit/late_records.hpp>
#include <net/audit/line_sums.hpp>
#include <net/clients/client_rates.hpp>
#include <net/loop/untouched_pages.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace exeat::net {

class audit_writer {
public:
    // `healthy` belongs to the journal: whether the log can be written.
    audit_writer(std::size_t worker, audit_ring&, const std::atomic<bool>& healthy, audit_failure on_failure, client_rates&, counters&);

    std::uint64_t next_id() noexcept { return id_base_ + ++ids_; }
    // Whether a request that must be logged may begin: law 6, no log, no exit.
    bool may_log() const noexcept;
    // Whether a client's bytes may be sent upstream: not while the log that must record them cannot be written.
    bool may_upload() const noexcept { return on_failure_ == audit_failure::proceed || healthy_.load(std::memory_order_relaxed); }
    // False: an open record did not fit, and its request must be denied. Any other record is kept, summed or counted as dropped. A tunnel's
    // close line is charged with its open line.
    bool log(const audit_record&, std::size_t reserve);
    // A denial of a request that has reached no upstream.
    void log_denial(const audit_record&);
    // Call when a plain-HTTP exchange begins. The first one of a client with a host has lines of its own, or is refused (over_rate).
    enum class exchange_lines : std::uint8_t { own, summed, over_rate, unavailable };
    exchange_lines begin_exchange(const audit_record& open);
    void end_exchange(const audit_record& close); // of a summed exchange

    void sweep() noexcept { late_.move_to(ring_); } // each sweep
    void end() noexcept;                            // once, at the end: what does not fit now is dropped and counted
    void next_second();                             // each second: writes the lines of sums and returns unused memory
    bool empty() const noexcept { return late_.empty(); }

private:
    std::uint64_t& contact_of(const audit_record&) noexcept;
    void sum(const audit_record&) noexcept;

    audit_ring& ring_;
    const std::atomic<bool>& healthy_;
    const audit_failure on_failure_;
    client_rates& rates_;
    counters& count_;
    late_records late_;
    line_sums sums_;
    untouched_pages contacts_{limits::audit_contacts * sizeof(std::uint64_t)}; // keyed hashes of client and host of those that had a line
    const std::uint64_t id_base_;
    std::uint64_t ids_ = 0;
};

} // namespace exeat::net
