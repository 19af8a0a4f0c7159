// Memory for the only operation of its kind that is ever in progress, such as a worker's next poll: once started, it can always be started
// again, even when there is no memory left. Passed to Asio with bind_allocator. One thread at a time; outlives the operation.
#pragma once

#include <exeat/limits.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

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

    // Asio takes an operation's memory from this allocator. Home: a plain or shared pointer to a kept_memory.
    template <class T, class Home> struct allocator {
        using value_type = T;
        template <class U> struct rebind {
            using other = allocator<U, Home>;
        };
        explicit allocator(Home from) noexcept : home{std::move(from)} {}
        template <class U> allocator(const allocator<U, Home>& o) noexcept : home{o.home} {}
        T* allocate(std::size_t n) { return static_cast<T*>(home->take(n * sizeof(T))); }
        void deallocate(T* at, std::size_t) noexcept { home->give_back(at); }
        template <class U> bool operator==(const allocator<U, Home>& o) const noexcept { return home == o.home; }
        Home home;
    };
    auto memory() noexcept { return allocator<std::byte, kept_memory*>{this}; }

private:
    alignas(std::max_align_t) std::byte room_[limits::operation_bytes];
    bool taken_ = false;
};

// The same for an owner that may be destroyed while its operation is still in the io_context, which returns the memory later.
class shared_kept_memory {
public:
    auto memory() const noexcept { return kept_memory::allocator<std::byte, std::shared_ptr<kept_memory>>{memory_}; }

private:
    std::shared_ptr<kept_memory> memory_ = std::make_shared<kept_memory>();
};

} // namespace exeat::net
