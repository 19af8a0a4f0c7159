// Pages that are zero and use no memory until they are written. For data whose space must be reserved but is rarely used. The owner calls
// forget() for parts that contain nothing any more; one thread at a time.
#pragma once

#include <cassert>
#include <cstddef>
#include <new>
#include <sys/mman.h>

namespace exeat::net {

class untouched_pages {
public:
    // Throws std::bad_alloc. No huge pages: they would use memory for everything near an octet that was touched.
    explicit untouched_pages(std::size_t octets) : octets_{octets}
    {
        void* at = ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) throw std::bad_alloc{};
        first_ = static_cast<std::byte*>(at);
        ::madvise(at, octets, MADV_NOHUGEPAGE); // fails on a kernel without huge pages
    }
    untouched_pages(const untouched_pages&) = delete;
    untouched_pages& operator=(const untouched_pages&) = delete;
    ~untouched_pages() { ::munmap(first_, octets_); }

    std::byte* data() noexcept { return first_; }
    // Zeroes the range from `from`, a whole number of pages, to `end`, and returns its memory.
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
