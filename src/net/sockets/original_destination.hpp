// The destination that a redirected client dialled. Only its port is ever used to reach anything; the address is compared and counted.
#pragma once

#include <exeat/check_address.hpp>
#include <exeat/config.hpp>
#include <exeat/policy.hpp>

#include <boost/system/result.hpp>

namespace exeat::net {

// no_orig_dst: the kernel reports no redirection, or the client dialled the listener (or this machine) itself.
boost::system::result<endpoint, verdict> original_destination(int fd, const listener&, const own_endpoints&) noexcept;

} // namespace exeat::net
