#include <exeat/hello_retry.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <array>

namespace exeat {

namespace {

using bytes = std::span<const std::byte>;

constexpr std::size_t record_header = 5;
constexpr unsigned change_cipher_spec = 20, alert = 21, handshake = 22, application_data = 23;
constexpr unsigned server_hello_message = 2;
constexpr std::size_t protected_record_bytes = limits::record_bytes + 256; // RFC 8446 section 5.2

// The random of a ServerHello that is a HelloRetryRequest: SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3).
constexpr std::array<std::uint8_t, 32> retry_random{0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                                    0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                                    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
constexpr std::size_t before_random = 6; // message type, length, legacy_version
constexpr std::size_t enough = before_random + retry_random.size();

unsigned octet(bytes b, std::size_t at) noexcept { return std::to_integer<unsigned>(b[at]); }
std::size_t record_size(bytes b) noexcept { return std::size_t{octet(b, 3)} << 8 | octet(b, 4); }

bool asks_again(std::span<const std::byte, enough> start) noexcept
{
    return std::equal(retry_random.begin(), retry_random.end(), start.begin() + before_random,
                      [](std::uint8_t a, std::byte b) { return a == std::to_integer<std::uint8_t>(b); });
}

} // namespace

first_answer scan_first_answer(std::span<const std::byte> seen) noexcept
{
    std::array<std::byte, enough> start{};
    for (std::size_t got = 0, at = 0; got < enough;) {
        const auto rest = seen.subspan(at);
        if (rest.empty()) return first_answer::need_more;
        if (octet(rest, 0) != handshake) return got == 0 ? first_answer::other : first_answer::malformed;
        if (rest.size() < record_header) return first_answer::need_more;
        const auto size = record_size(rest);
        if (size == 0 || size > limits::record_bytes) return first_answer::malformed;
        const auto there = std::min(size, rest.size() - record_header);
        const auto taken = std::min(there, enough - got);
        std::copy_n(rest.begin() + record_header, taken, start.begin() + static_cast<std::ptrdiff_t>(got));
        got += taken;
        if (got > 0 && octet(start, 0) != server_hello_message) return first_answer::other;
        if (got < enough && there < size) return first_answer::need_more;
        at += record_header + there;
    }
    return asks_again(start) ? first_answer::retry : first_answer::other;
}

second_hello_scan scan_second_hello(std::span<const std::byte> seen)
{
    std::size_t at = 0;
    for (;;) {
        const auto rest = seen.subspan(at);
        if (rest.empty()) return need_more{};
        const auto type = octet(rest, 0);
        if (type == alert) return no_hello{};
        if (type != change_cipher_spec && type != application_data) break;
        if (rest.size() < record_header) return need_more{};
        const auto size = record_size(rest);
        if (size > protected_record_bytes) return malformed{verdict::tls_malformed};
        if (rest.size() < record_header + size) return need_more{};
        at += record_header + size;
    }
    auto scan = scan_client_hello(seen.subspan(at));
    if (auto* hello = std::get_if<client_hello>(&scan)) {
        hello->bytes += at;
        return std::move(*hello);
    }
    if (const auto* bad = std::get_if<malformed>(&scan)) // in the middle of a handshake there is nothing else than TLS
        return malformed{bad->why == verdict::not_tls ? verdict::tls_malformed : bad->why};
    return need_more{};
}

} // namespace exeat
