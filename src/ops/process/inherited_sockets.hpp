// Sockets that a service manager holds for us and hands to each process that it starts (systemd's sd_listen_fds(3)), so that a restart
// refuses nobody. Every one must be of use and be what its [[listen]] says: anything else ends the start. Main thread, before any other.
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

// What the environment says was passed to this very process; the variables are removed. Throws std::runtime_error.
std::vector<inherited_socket> inherited_sockets();
// The names of `count` sockets as LISTEN_FDNAMES= has them. Throws std::runtime_error.
std::vector<std::string> socket_names(std::string_view count, std::string_view names);

struct assigned_sockets {
    std::vector<std::vector<net::unique_fd>> of_listener; // by listener, one or more each
    net::unique_fd admin;                                 // or none
};
// Each socket to the [[listen]] of its name and address. Throws std::runtime_error.
assigned_sockets assign(std::vector<inherited_socket>, const config&);

} // namespace exeat::ops
