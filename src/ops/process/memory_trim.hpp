// Gives memory back to the machine when a crowd has left: the C library keeps what the workers have freed, for good if nobody asks.
// Lives on one io_context and looks at a number once in limits::trim_look.
#pragma once

#include <exeat/limits.hpp>

#include <net/loop/kept_memory.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>

namespace exeat::ops {

// Whether memory is worth giving back: when less than half of a crowd is left. Pure.
class crowd_watch {
public:
    bool left(std::size_t connections) noexcept;

private:
    std::size_t most_ = 0; // since the last time that it was worth it
};

class memory_trim {
public:
    memory_trim(boost::asio::io_context&, std::function<std::size_t()> connections);

private:
    void look();

    boost::asio::steady_timer timer_;
    net::shared_kept_memory look_memory_;
    const std::function<std::size_t()> connections_;
    crowd_watch crowd_;
    unsigned looks_ = limits::trim_looks; // since a crowd left
};

} // namespace exeat::ops
