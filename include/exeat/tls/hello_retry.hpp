// Watches both directions of a TLS handshake from the first ClientHello until no further one can follow. A server may answer the first with
// a HelloRetryRequest (RFC 8446 section 4.1.4), and the next hello could name another host. So every hello is checked before a byte of it
// passes, and no other handshake record of the client passes before the server's ServerHello. Sans-I/O; any thread, one at a time.
#pragma once

#include <exeat/tls/client_hello.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace exeat {

class hello_watch {
public:
    // What was allowed; each hello of the connection must match it.
    struct agreed {
        const hostname& name;
        ech_policy ech;
    };
    enum class phase : std::uint8_t {
        first_hello,
        first_answer,  // the first hello has passed
        second_hello,  // the server requested it
        second_answer, // the second hello has passed
        over,          // the server's ServerHello began: no check remains, and everything may pass
        ended,         // no handshake will follow, or it was refused: no further byte of the client passes
    };
    struct step {
        std::size_t pass = 0;           // octets at the start of `held` that may be sent upstream now
        verdict why = verdict::allowed; // otherwise the connection must be closed; sni_changed, ech, tls_malformed, host_syntax
    };

    // Instead of from_client() for a first hello that was read and checked already.
    void first_hello_passed(hidden_hello, bool early_data) noexcept;
    // `held`: everything from the client that has not passed yet. It is split into whole records, each of which passes or waits.
    step from_client(std::span<const std::byte> held, const agreed&);
    // `said`: what the server sent since the last call. It may always be sent to the client, unless the verdict is tls_malformed.
    verdict from_server(std::span<const std::byte> said) noexcept;
    phase at() const noexcept { return phase_; }
    hidden_hello seen() const noexcept { return seen_; } // the highest value of the hellos that have passed

private:
    bool watching() const noexcept { return phase_ != phase::over && phase_ != phase::ended; }
    void refuse(verdict) noexcept;
    // Octets of the next record, or of the records of a hello; 0 while more input is needed, and when it is refused.
    std::size_t next(std::span<const std::byte> rest, const agreed&);
    std::size_t hello(std::span<const std::byte> rest, const agreed&);
    std::size_t other_record(std::span<const std::byte> rest) noexcept;

    std::size_t read_header(std::span<const std::byte> said) noexcept;
    std::size_t read_fragment(std::span<const std::byte> said) noexcept;
    void begin_record() noexcept;
    void read_messages(std::span<const std::byte> fragment) noexcept;
    void read_answer() noexcept;

    static constexpr std::size_t record_header = 5;
    static constexpr std::size_t before_random = 4 + 2; // message type, length, legacy_version
    static constexpr std::size_t random_octets = 32;

    phase phase_ = phase::first_hello;
    verdict refused_ = verdict::allowed;
    hidden_hello seen_ = hidden_hello::none;
    bool early_data_ = false;                                        // offered, so application_data may follow the first hello
    bool client_done_ = false;                                       // the client sent a fatal alert or close_notify
    std::uint8_t client_side_records_ = 0, server_side_records_ = 0; // alerts and change_cipher_spec
    std::size_t flight_ = 0;                                         // octets of the client that passed in second_hello

    // The server's record header, and the start of its handshake message, which identifies the message.
    std::array<std::byte, record_header> header_{};
    std::array<std::byte, before_random + random_octets> start_{};
    std::uint8_t header_octets_ = 0, start_octets_ = 0;
    bool first_record_ = true;
    std::uint16_t record_left_ = 0; // octets of the record that are still to come
    std::size_t message_left_ = 0;  // octets after start_ of a message that was checked
};

} // namespace exeat
