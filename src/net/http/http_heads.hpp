// The heads that exeat sends on: written anew from what was read strictly, without the fields that belong to one hop. Pure.
#pragma once

#include <exeat/request_head.hpp>

#include <string>

namespace exeat::net {

// For the upstream: origin-form, Host from the target that was judged, Via (RFC 9110 section 7.6.3).
std::string head_for_upstream(const request_head&);
// For the client. `chunked`: the body goes out in chunks. `close`: the connection ends behind it.
std::string head_for_client(const response_head&, bool chunked, bool close);

} // namespace exeat::net
