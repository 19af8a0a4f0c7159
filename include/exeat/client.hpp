// Who asks: the source address of the connection and, on listeners that ask for certificates, a verified identity. The groups that
// it belongs to are the policy's to say (policy::groups_of). Value; any thread.
#pragma once

#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>

#include <bitset>
#include <cstdint>

namespace exeat {

using group_set = std::bitset<limits::groups>;

struct client {
    ip_address source;
    std::uint16_t port = 0;
    group_set groups; // as policy::groups_of said when the connection was judged
};

} // namespace exeat
