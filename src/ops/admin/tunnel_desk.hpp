// Asks the workers for their open tunnels on behalf of the admin page. A query costs each worker about 0.2 µs per tunnel, so queries are at
// least limits::tunnel_look_interval apart, for all requests together. A request that would wait longer than limits::tunnel_look_wait is
// rejected. The thread of the io_context that the coroutines run on.
#pragma once

#include <net/tunnel_list.hpp>

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>

namespace exeat::ops {

// Makes each worker pass its list to the function, on the worker's own thread, and returns how many workers will do so. Any thread.
using tunnel_lister = std::function<std::size_t(const net::tunnel_question&, std::function<void(net::tunnel_list)>)>;

struct tunnels_found {
    net::tunnel_list all;
    bool complete = false; // every worker has answered within limits::tunnel_answer_time
};

class tunnel_desk {
public:
    explicit tunnel_desk(tunnel_lister ask) : ask_{std::move(ask)} {}

    // Absent: too many requests.
    boost::asio::awaitable<std::optional<tunnels_found>> look(net::tunnel_question);

private:
    tunnel_lister ask_;
    std::chrono::steady_clock::time_point next_{}; // when the next query may begin
};

} // namespace exeat::ops
