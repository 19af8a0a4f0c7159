// Stays with a TLS tunnel until its server's ServerHello: until then each byte of the client is checked before it goes upstream, so that a
// HelloRetryRequest cannot bring a second hello that says something else (exeat/tls/hello_retry.hpp). Worker's thread.
#pragma once

#include <net/refuse.hpp>

#include <string>

namespace exeat::net {

// tunnel::held begins with the whole hello that was checked. Sends what may go upstream, and what the server says to the client; what
// neither has taken yet stays in tunnel::held and `answer`. Then the relay goes on; where no byte of the client may follow, the upstream
// socket takes none any more or the tunnel is interrupted. Refusals: sni_changed, ech, tls_malformed, host_syntax, hello_timeout.
task<checked> watch_retry(tunnel&, std::string& answer);

} // namespace exeat::net
