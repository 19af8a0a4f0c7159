// "127.0.0.1:80", "[::1]:80" as people write them in our files. Pure; any thread.
#pragma once

#include <exeat/endpoint.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace exeat::ops {

// With a usual port, "192.0.2.1", "2001:db8::1" and "[2001:db8::1]" will do as well.
std::optional<endpoint> parse_endpoint(std::string_view text, std::optional<std::uint16_t> usual_port = std::nullopt);

// What was most likely meant by what is none: the address with `usual_port`, or loopback for a name or for no host. Empty where nobody can
// know.
std::optional<endpoint> meant_endpoint(std::string_view text, std::uint16_t usual_port);

} // namespace exeat::ops
