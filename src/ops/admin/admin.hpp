// The admin listener: GET and HEAD over HTTP/1.1 for Prometheus, probes and people. Binds when it is made; serves on the io_context's one
// thread. Bounded: limits::admin_connections at once, shared out to its peers (admin_places.hpp), limits::admin_head_time for each head and
// limits::admin_time for its answer, heads of limits::admin_head_bytes, no bodies.
#pragma once

#include <exeat/endpoint.hpp>
#include <net/sockets/unique_fd.hpp>
#include <ops/admin/tunnel_desk.hpp>
#include <ops/metrics/history.hpp>
#include <ops/metrics/metrics.hpp>

#include <boost/asio/io_context.hpp>
#include <memory>

namespace exeat::ops {

struct admin_hall; // what the connections share; lives as long as the last of them

class admin {
public:
    // Throws boost::system::system_error when the address cannot be had; port 0 takes any. The io_context outlives this.
    admin(boost::asio::io_context&, const endpoint&);
    admin(boost::asio::io_context&, net::unique_fd listening); // which accepts already
    ~admin();
    admin(const admin&) = delete;
    admin& operator=(const admin&) = delete;

    void serve(const metrics&, history&, tunnel_lister); // from now on; they outlive the io_context's last run
    // After a std::bad_alloc out of the io_context: Asio drops an accept whose socket it has no memory for, and who waits for it.
    void keep_accepting();
    void close(); // the listener and every connection; on the io_context's thread, or while it does not run
    endpoint local() const;
    std::uint16_t port() const { return local().port; }

private:
    boost::asio::io_context& io_;
    std::shared_ptr<admin_hall> hall_;
};

} // namespace exeat::ops
