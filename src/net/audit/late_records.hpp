// Records that found no room in the audit ring and must not be lost: they wait here, limits::audit_late_records at most, until there is.
// One worker's thread.
#pragma once

#include <net/audit/audit_ring.hpp>

#include <deque>
#include <new>

namespace exeat::net {

class late_records {
public:
    // False when it cannot be kept, for want of a place or of memory.
    bool keep(const audit_record& r) noexcept
    {
        if (waiting_.size() >= limits::audit_late_records) return false;
        try {
            waiting_.push_back(r);
            return true;
        } catch (const std::bad_alloc&) {
            return false;
        }
    }
    // In their order, as far as the ring takes them.
    void move_to(audit_ring& ring) noexcept
    {
        while (!waiting_.empty() && ring.push(waiting_.front())) waiting_.pop_front();
    }
    bool empty() const noexcept { return waiting_.empty(); }
    std::size_t size() const noexcept { return waiting_.size(); }

private:
    std::deque<audit_record> waiting_;
};

} // namespace exeat::net
