// Records that did not fit in the audit ring and must not be lost: at most limits::audit_late_records wait here until there is room. One
// worker's thread.
#pragma once

#include <net/audit/audit_ring.hpp>

#include <deque>
#include <new>

namespace exeat::net {

class late_records {
public:
    // False: no place or no memory is left for it.
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
    // In order, as far as the ring accepts them.
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
