// The heads that exeat forwards: written anew from what was read strictly, without hop-by-hop fields. Pure.
#pragma once

#include <exeat/request_head.hpp>

#include <string>

namespace exeat::net {

// For the upstream: origin-form, Host from the target that was judged, Via (RFC 9110 section 7.6.3).
std::string head_for_upstream(const request_head&);
// For the client. `chunked`: the body is sent in chunks. `close`: the connection ends after it.
std::string head_for_client(const response_head&, bool chunked, bool close);

} // namespace exeat::net
