// Memory for the one operation of a kind that is ever under way, such as a worker's next poll: once it was begun it can always be begun
// again, also when there is no memory left. Handed to Asio with bind_allocator. One worker's thread; outlives the operation.
#pragma once

#include <exeat/limits.hpp>

#include <cstddef>
#include <new>

namespace exeat::net {

class kept_memory {
public:
    kept_memory() = default;
    kept_memory(const kept_memory&) = delete;
    kept_memory& operator=(const kept_memory&) = delete;

    void* take(std::size_t bytes)
    {
        if (taken_ || bytes > sizeof room_) return ::operator new(bytes);
        taken_ = true;
        return room_;
    }
    void give_back(void* at) noexcept
    {
        if (at == room_) taken_ = false;
        else ::operator delete(at);
    }

    // What Asio asks for its operation's memory.
    template <class T> struct allocator {
        using value_type = T;
        explicit allocator(kept_memory& from) noexcept : home{&from} {}
        template <class U> allocator(const allocator<U>& o) noexcept : home{o.home} {}
        T* allocate(std::size_t n) { return static_cast<T*>(home->take(n * sizeof(T))); }
        void deallocate(T* at, std::size_t) noexcept { home->give_back(at); }
        template <class U> bool operator==(const allocator<U>& o) const noexcept { return home == o.home; }
        kept_memory* home;
    };
    allocator<std::byte> memory() noexcept { return allocator<std::byte>{*this}; }

private:
    alignas(std::max_align_t) std::byte room_[limits::operation_bytes];
    bool taken_ = false;
};

} // namespace exeat::net
