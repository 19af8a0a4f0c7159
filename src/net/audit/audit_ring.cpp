#include <net/audit/audit_ring.hpp>

#include <cassert>
#include <new>

namespace exeat::net {

namespace {

constexpr std::size_t kept = limits::scratch_bytes; // octets of its memory that are kept while it is empty
static_assert(kept % (64 * 1024) == 0, "whole pages, however large they are");

} // namespace

audit_ring::audit_ring() : places_{std::make_unique_for_overwrite<std::uint32_t[]>(limits::audit_ring_records)} {}

// Entries follow each other, and begin again at the start when the next one does not fit before the end. When the ring is empty, the next
// entry is placed at the start, too: the memory in use stays small and in the cache.
std::size_t audit_ring::place(std::size_t size, std::uint64_t head, std::uint64_t tail) const noexcept
{
    const auto at = head == tail || next_ + size > octets ? 0 : next_;
    [[maybe_unused]] const auto oldest = places_[head % limits::audit_ring_records];
    assert(head == tail || at > oldest || at + size <= oldest);
    return at;
}

bool audit_ring::push(const audit_record& r, std::size_t reserve) noexcept
{
    const auto tail = tail_.load(std::memory_order_relaxed), head = head_.load(std::memory_order_acquire);
    if (tail - head + reserve >= limits::audit_ring_records) return false;
    const auto host = r.host.str(), server_name = r.server_name.str();
    const auto size = entry_octets(host.size() + server_name.size());
    const auto at = place(size, head, tail);
    auto* to = entries_.data() + at;
    ::new (to) audit_entry{r, static_cast<std::uint8_t>(host.size()), static_cast<std::uint8_t>(server_name.size()), r.host.cut(),
                           r.server_name.cut()};
    std::memcpy(to + sizeof(audit_entry), host.data(), host.size());
    std::memcpy(to + sizeof(audit_entry) + host.size(), server_name.data(), server_name.size());
    next_ = at + size;
    touched_ = std::max(touched_, next_);
    places_[tail % limits::audit_ring_records] = static_cast<std::uint32_t>(at);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
}

void audit_ring::give_back() noexcept
{
    if (touched_ <= kept) return;
    if (head_.load(std::memory_order_acquire) != tail_.load(std::memory_order_relaxed)) return;
    entries_.forget(kept, touched_); // the ring is empty: all of it belongs to the worker
    touched_ = kept;
}

const audit_record* audit_ring::front() noexcept
{
    const auto head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return nullptr;
    const auto* at = entries_.data() + places_[head % limits::audit_ring_records];
    const auto& e = *std::launder(reinterpret_cast<const audit_entry*>(at));
    const auto* text = reinterpret_cast<const char*>(at + sizeof(audit_entry));
    static_cast<audit_fields&>(oldest_) = e.fields;
    oldest_.host = bounded_text{{text, e.host_octets}, e.host_cut};
    oldest_.server_name = bounded_text{{text + e.host_octets, e.server_name_octets}, e.server_name_cut};
    return &oldest_;
}

} // namespace exeat::net
