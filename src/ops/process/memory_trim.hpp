// Returns memory to the system after many connections have closed: the C library keeps what the workers have freed until it is trimmed.
// Lives on one io_context and reads the number of connections every limits::trim_look.
#pragma once

#include <exeat/limits.hpp>

#include <net/loop/kept_memory.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>

namespace exeat::ops {

// Decides when memory is worth returning: when less than half of the highest number of connections is left. Pure.
class crowd_watch {
public:
    bool left(std::size_t connections) noexcept;

private:
    std::size_t most_ = 0; // since the last time that left() returned true
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
    unsigned looks_ = limits::trim_looks; // looks since connections have closed; at limits::trim_looks trimming ends
};

} // namespace exeat::ops
