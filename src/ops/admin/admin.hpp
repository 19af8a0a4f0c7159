// The admin listener: GET and HEAD over HTTP/1.1 for Prometheus, probes and people. Binds when it is constructed; serves on the
// io_context's one thread. Bounded: at most limits::admin_connections, shared among the peers (admin_places.hpp), limits::admin_head_time
// for each head and limits::admin_time for its answer, heads of at most limits::admin_head_bytes, no bodies.
#pragma once

#include <exeat/endpoint.hpp>
#include <net/sockets/unique_fd.hpp>
#include <ops/admin/tunnel_desk.hpp>
#include <ops/metrics/history.hpp>
#include <ops/metrics/metrics.hpp>

#include <boost/asio/io_context.hpp>
#include <memory>

namespace exeat::ops {

struct admin_hall; // shared by the connections; lives as long as the last of them

class admin {
public:
    // Throws boost::system::system_error when the address cannot be bound; port 0 selects any free port. The io_context outlives this
    // object.
    admin(boost::asio::io_context&, const endpoint&);
    admin(boost::asio::io_context&, net::unique_fd listening); // a socket that already listens
    ~admin();
    admin(const admin&) = delete;
    admin& operator=(const admin&) = delete;

    void serve(const metrics&, history&, tunnel_lister); // starts answering; the arguments outlive the last run of the io_context
    // Call after a std::bad_alloc from the io_context: Asio drops an accept operation when there is no memory for its socket, together with
    // the coroutine that waits for it.
    void keep_accepting();
    void close(); // closes the listener and every connection; on the io_context's thread, or while it does not run
    endpoint local() const;
    std::uint16_t port() const { return local().port; }

private:
    boost::asio::io_context& io_;
    std::shared_ptr<admin_hall> hall_;
};

} // namespace exeat::ops
