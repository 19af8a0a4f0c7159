// Every socket that a process listens on: its own, or those that a service manager holds. Opened before the process takes from itself
// what it needed for that (sandbox). Main thread, before any other.
#pragma once

#include <exeat/config.hpp>
#include <net/sockets/unique_fd.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

struct open_sockets {
    std::vector<std::vector<net::unique_fd>> of_worker; // by worker, then by listener
    net::unique_fd admin;
    bool inherited = false;       // other processes hold the listeners' too, and take what we leave in their queues
    bool admin_inherited = false; // the same of the admin page's
};

// Throws std::runtime_error with what cannot be had.
open_sockets open_all(const config&);

// Why an address cannot be listened on, and what to do; `error` as errno has it.
std::string listen_error(const endpoint&, int error);

} // namespace exeat::ops
