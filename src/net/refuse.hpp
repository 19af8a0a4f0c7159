// How a refusal reaches the client: an HTTP reply that says why and how to ask for access, or a fatal TLS alert. The account has it counted
// and logged first. Worker's thread.
#pragma once

#include <exeat/verdict.hpp>
#include <net/task.hpp>

#include <string>
#include <string_view>

namespace exeat::net {

struct tunnel;

// What the refusal is about, as far as it could be read.
struct refusal {
    verdict why;
    std::string host; // canonical, or empty
    std::uint16_t port = 0;
    std::string server_name;   // where it differs from host
    bool json = false;         // the client accepts application/json
    bool body_follows = false; // the client may still be sending: read some of it, so that the reply is not lost to a reset
};
// About the request in hand.
refusal refusal_of(const tunnel&, verdict);

task<> refuse_http(tunnel&, refusal);
task<> refuse_tls(tunnel&, refusal);

// The whole reply, for tests and for connections that never become tunnels.
std::string refusal_reply(const refusal&, std::uint64_t id, std::uint64_t serial, std::string_view help);

} // namespace exeat::net
