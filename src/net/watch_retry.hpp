// Stays with a TLS tunnel until its server has answered: if that is a HelloRetryRequest, the client's second hello must say what the first
// one said before a byte of it goes upstream. Worker's thread.
#pragma once

#include <exeat/verdict.hpp>
#include <net/task.hpp>

#include <string>

namespace exeat::net {

struct tunnel;

// Sends tunnel::held to the upstream, and what the server says to the client as far as it was read; what neither has taken yet stays in
// tunnel::held and `answer`. allowed: relay from here. sni_changed, ech, tls_malformed, host_syntax, hello_timeout: cut.
task<verdict> watch_retry(tunnel&, std::string& answer);

} // namespace exeat::net
