// Every socket that the process listens on: its own, or those that a service manager passes. Opened before exeat drops the privileges
// needed for that (sandbox.hpp). Main thread, before any other thread.
#pragma once

#include <exeat/config.hpp>
#include <net/sockets/unique_fd.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

struct open_sockets {
    std::vector<std::vector<net::unique_fd>> of_worker; // by worker, then by listener
    net::unique_fd admin;
    bool inherited = false;       // other processes hold the listeners' sockets too, and accept what we leave in their queues
    bool admin_inherited = false; // the same for the admin page's socket
};

// Throws std::runtime_error, which names the address that cannot be opened.
open_sockets open_all(const config&);

// The reason why an address cannot be listened on, and what to do. `error` is an errno value.
std::string listen_error(const endpoint&, int error);

} // namespace exeat::ops
