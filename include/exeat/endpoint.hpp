// An address and a port, to listen on or to query. A value; any thread.
#pragma once

#include <exeat/ip_address.hpp>

#include <cstdint>
#include <string>

namespace exeat {

struct endpoint {
    ip_address address;
    std::uint16_t port = 0;
    std::string to_string() const; // "127.0.0.1:80", "[::1]:80"
    bool operator==(const endpoint&) const = default;
};

} // namespace exeat
