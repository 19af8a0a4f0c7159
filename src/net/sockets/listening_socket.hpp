// A listening socket that another process created: its properties, and the reason not to use it. Called before the workers run.
#pragma once

#include <exeat/config.hpp>
#include <net/sockets/unique_fd.hpp>

#include <boost/system/result.hpp>
#include <optional>
#include <string>

namespace exeat::net {

struct listening_socket {
    endpoint at;
    bool reuse_port = false;
    bool transparent = false;
    bool v6_only = false;
};

// Error: why it is not a listening TCP socket, as the end of a sentence that begins with "it".
boost::system::result<listening_socket, std::string> look_at_socket(int fd);
// nullopt: it does what the listener's own socket would do. Otherwise what is wrong and how to fix it.
std::optional<std::string> objection_to(const listening_socket&, const listener&);
// Sets the options of exeat's own sockets that need no privilege. Returns a descriptor of its own, so that each worker closes one.
boost::system::result<unique_fd> own_descriptor(int fd);

} // namespace exeat::net
