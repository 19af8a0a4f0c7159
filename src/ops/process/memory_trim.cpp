#include <ops/process/memory_trim.hpp>

#include <exeat/limits.hpp>

#include <boost/asio/bind_allocator.hpp>

#include <bit>
#include <malloc.h>

namespace exeat::ops {

bool crowd_watch::left(std::size_t connections) noexcept
{
    const bool gone = most_ >= limits::trim_connections && connections < most_ / 2;
    most_ = gone || connections > most_ ? connections : most_;
    return gone;
}

memory_trim::memory_trim(boost::asio::io_context& io, std::function<std::size_t()> connections)
    : timer_{io}, connections_{std::move(connections)}
{
    look();
}

void memory_trim::look()
{
    if (crowd_.left(connections_())) looks_ = 0;
    // A connection that is no longer counted may still hold its memory, for example while its last answer is being sent.
    // So exeat trims again after 1, 2, 4, 8… looks.
    if (looks_ < limits::trim_looks && std::has_single_bit(++looks_)) ::malloc_trim(0);
    timer_.expires_after(limits::trim_look);
    timer_.async_wait(boost::asio::bind_allocator(look_memory_.memory(), [this](boost::system::error_code failed) {
        if (!failed) look();
    }));
}

} // namespace exeat::ops
