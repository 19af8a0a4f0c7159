// What OpenSSL's own parser makes of a client's first bytes, as a server that would serve any name.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::test {

struct openssl_reading {
    bool hello = false;                 // its ClientHello callback was called: there was a hello that it could take apart
    std::optional<std::string> carried; // the one host_name in the server_name extension it found then
    std::size_t taken = 0;              // octets of the input that it had read by then
    bool server_name = false;           // its server name callback was called as well: it has read every extension
    std::optional<std::string> served;  // the name that it would serve
    std::string refusal;                // why it went no further, in OpenSSL's words; there is always something, as it has no certificate
};

class openssl_server {
public:
    openssl_server();
    openssl_reading read(std::string_view flight) const;

private:
    struct free_context {
        void operator()(SSL_CTX* c) const noexcept { SSL_CTX_free(c); }
    };
    std::unique_ptr<SSL_CTX, free_context> context_;
};

} // namespace exeat::test
