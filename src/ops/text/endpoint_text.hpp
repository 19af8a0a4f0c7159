// Endpoints as people write them in configuration files: "127.0.0.1:80", "[::1]:80". Pure; any thread.
#pragma once

#include <exeat/endpoint.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace exeat::ops {

// With a usual port, "192.0.2.1", "2001:db8::1" and "[2001:db8::1]" are accepted too.
std::optional<endpoint> parse_endpoint(std::string_view text, std::optional<std::uint16_t> usual_port = std::nullopt);

// A suggestion for text that is not an endpoint: the address with `usual_port`, or loopback for a name or a missing host. Empty when none
// is possible.
std::optional<endpoint> meant_endpoint(std::string_view text, std::uint16_t usual_port);

} // namespace exeat::ops
