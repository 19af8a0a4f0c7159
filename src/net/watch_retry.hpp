// Controls a TLS tunnel until its server's ServerHello: until then each byte from the client is checked before it is sent upstream, so that
// a HelloRetryRequest cannot lead to a second hello with other contents (exeat/tls/hello_retry.hpp). Worker's thread.
#pragma once

#include <net/refuse.hpp>

#include <string>

namespace exeat::net {

// tunnel::held begins with the whole hello that was checked. Sends what may be sent upstream, and the server's bytes to the client; bytes
// not accepted yet stay in tunnel::held and `answer`. Then the relay continues. If no byte of the client may follow, the upstream socket
// accepts no more or the tunnel is interrupted. Refusals: sni_changed, ech, tls_malformed, host_syntax, hello_timeout.
task<checked> watch_retry(tunnel&, std::string& answer);

} // namespace exeat::net
