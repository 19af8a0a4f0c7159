// The octets of a DNS question (RFC 1035 section 4.1) as c-ares writes it: one uncompressed name, its type and class. Pure except mix_case;
// any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace exeat::net {

inline constexpr std::size_t dns_header_octets = 12, dns_query_octets = 512;

// The first two octets; the message must have at least two.
std::uint16_t identity(std::string_view message) noexcept;
void write_identity(std::span<char> message, std::uint16_t) noexcept;

// Name, type and class. nullopt: not a query that exeat understands.
std::optional<std::string_view> question_of(std::string_view query) noexcept;
// Only ASCII letters may differ, in case; no other octet of a question is a letter: label lengths are below 64, type and class are small.
bool same_but_for_case(std::string_view, std::string_view) noexcept;
void lower_case(std::span<char>) noexcept;
// Puts the letters of the question's name in random case. False when the kernel has no random numbers yet.
bool mix_case(std::span<char> question) noexcept;

} // namespace exeat::net
