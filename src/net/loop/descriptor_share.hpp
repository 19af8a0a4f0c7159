// The descriptors that the tunnels of one worker may use beyond the two that each was admitted with: pipes, and further attempts to
// connect. When the share is used up, bytes are copied and attempts follow one another; the descriptors that admission, the admin listener
// and the audit log need are never taken. One worker's thread; outlives its leases.
#pragma once

#include <cassert>
#include <cstddef>
#include <optional>
#include <utility>

namespace exeat::net {

class descriptor_share {
public:
    explicit descriptor_share(std::size_t most) noexcept : most_{most} {}
    descriptor_share(const descriptor_share&) = delete;
    descriptor_share& operator=(const descriptor_share&) = delete;

    // The destructor returns the descriptors.
    class lease {
    public:
        lease(lease&& o) noexcept : of_{std::exchange(o.of_, nullptr)}, count_{o.count_} {}
        lease& operator=(lease&& o) noexcept
        {
            std::swap(of_, o.of_);
            std::swap(count_, o.count_);
            return *this;
        }
        ~lease()
        {
            if (of_ != nullptr) of_->taken_ -= count_;
        }

    private:
        friend class descriptor_share;
        lease(descriptor_share& of, std::size_t count) noexcept : of_{&of}, count_{count} {}
        descriptor_share* of_;
        std::size_t count_;
    };

    // nullopt: fewer than `count` are left.
    std::optional<lease> take(std::size_t count) noexcept
    {
        assert(taken_ <= most_);
        if (most_ - taken_ < count) return std::nullopt;
        taken_ += count;
        return lease{*this, count};
    }
    std::size_t taken() const noexcept { return taken_; }

private:
    const std::size_t most_;
    std::size_t taken_ = 0;
};

} // namespace exeat::net
