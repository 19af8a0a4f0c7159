// Pages that cost no memory until they are written to: zero, and the machine's only when they are touched. For what must have its room
// but rarely needs it. The owner says which of it holds nothing any more; one thread at a time.
#pragma once

#include <cassert>
#include <cstddef>
#include <new>
#include <sys/mman.h>

namespace exeat::net {

class untouched_pages {
public:
    // Throws std::bad_alloc. Huge pages would make memory of all that lies beside what was touched.
    explicit untouched_pages(std::size_t octets) : octets_{octets}
    {
        void* at = ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) throw std::bad_alloc{};
        first_ = static_cast<std::byte*>(at);
        ::madvise(at, octets, MADV_NOHUGEPAGE); // refused by a kernel that has none
    }
    untouched_pages(const untouched_pages&) = delete;
    untouched_pages& operator=(const untouched_pages&) = delete;
    ~untouched_pages() { ::munmap(first_, octets_); }

    std::byte* data() noexcept { return first_; }
    // From `from`, a whole number of pages, to `end`: zero from now on, and no memory.
    void forget(std::size_t from, std::size_t end) noexcept
    {
        assert(from <= end && end <= octets_);
        ::madvise(first_ + from, end - from, MADV_DONTNEED);
    }

private:
    const std::size_t octets_;
    std::byte* first_ = nullptr;
};

} // namespace exeat::net
