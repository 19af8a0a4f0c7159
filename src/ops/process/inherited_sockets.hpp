// Sockets that a service manager holds and passes to each process that it starts (systemd's sd_listen_fds(3)), so that no connection is
// refused during a restart. Every socket must be used and match its [[listen]]; anything else fails the start. Main thread, before any
// other thread.
#pragma once

#include <exeat/config.hpp>
#include <net/sockets/unique_fd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

struct inherited_socket {
    net::unique_fd fd;
    std::string name; // FileDescriptorName=
};

// The sockets that the environment lists for this process; removes the variables. Throws std::runtime_error.
std::vector<inherited_socket> inherited_sockets();
// The names of `count` sockets from LISTEN_FDNAMES=. Throws std::runtime_error.
std::vector<std::string> socket_names(std::string_view count, std::string_view names);

struct assigned_sockets {
    std::vector<std::vector<net::unique_fd>> of_listener; // by listener, at least one each
    net::unique_fd admin;                                 // empty: none was passed
};
// Assigns each socket to the [[listen]] with its name and address. Throws std::runtime_error.
assigned_sockets assign(std::vector<inherited_socket>, const config&);

} // namespace exeat::ops
