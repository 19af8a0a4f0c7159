// The second ClientHello: a server may answer the first with a HelloRetryRequest (RFC 8446 section 4.1.4), and what the client says then
// can name another host. Both scanners are given everything seen so far in their direction and keep no state. Pure; any thread.
#pragma once

#include <exeat/client_hello.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace exeat {

// What a TLS server's first message is. `malformed`: no TLS server speaks so, though records seemed to begin.
enum class first_answer : std::uint8_t { need_more, retry, other, malformed };
first_answer scan_first_answer(std::span<const std::byte> seen) noexcept;

// The ClientHello that follows a retry, behind the records that may stand before it: change_cipher_spec (RFC 8446 appendix D.4) and early
// data that the retry has rejected (section 4.2.10). `bytes` counts from the beginning. An alert there ends the handshake: no_hello.
struct no_hello {};
using second_hello_scan = std::variant<need_more, client_hello, malformed, no_hello>;
second_hello_scan scan_second_hello(std::span<const std::byte> seen);

} // namespace exeat
