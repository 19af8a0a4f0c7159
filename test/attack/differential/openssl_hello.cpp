#include "openssl_hello.hpp"

#include <openssl/err.h>
#include <stdexcept>

namespace exeat::test {

namespace {

void require(bool holds)
{
    if (!holds) throw std::runtime_error{"OpenSSL could not be set up"};
}

openssl_reading& reading_of(SSL* tls) { return *static_cast<openssl_reading*>(SSL_get_app_data(tls)); }

// RFC 6066 section 3. OpenSSL hands out the extension's octets this early, and its own reading of them only later.
std::optional<std::string> host_name_in(const unsigned char* data, std::size_t size)
{
    if (size < 5 || (std::size_t{data[0]} << 8 | data[1]) != size - 2 || data[2] != TLSEXT_NAMETYPE_host_name) return std::nullopt;
    const auto length = std::size_t{data[3]} << 8 | data[4];
    if (length != size - 5) return std::nullopt;
    return std::string{reinterpret_cast<const char*>(data) + 5, length};
}

int on_hello(SSL* tls, int*, void* input)
{
    auto& reading = reading_of(tls);
    const unsigned char* data = nullptr;
    std::size_t size = 0;
    reading.hello = true;
    reading.taken = *static_cast<const std::size_t*>(input) - BIO_ctrl_pending(SSL_get_rbio(tls));
    if (SSL_client_hello_get0_ext(tls, TLSEXT_TYPE_server_name, &data, &size) == 1) reading.carried = host_name_in(data, size);
    return SSL_CLIENT_HELLO_SUCCESS;
}

int on_server_name(SSL* tls, int*, void*)
{
    auto& reading = reading_of(tls);
    reading.server_name = true;
    if (const char* name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name)) reading.served = name;
    return SSL_TLSEXT_ERR_OK;
}

} // namespace

openssl_server::openssl_server() : context_{SSL_CTX_new(TLS_server_method())}
{
    require(context_ != nullptr);
    // SSL_CTX_set_tlsext_servername_callback, which is a macro with a cast of C's
    SSL_CTX_callback_ctrl(context_.get(), SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(on_server_name));
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_security_level(context_.get(), 0);
}

openssl_reading openssl_server::read(std::string_view flight) const
{
    openssl_reading reading;
    auto size = flight.size();
    SSL_CTX_set_client_hello_cb(context_.get(), on_hello, &size);
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls{SSL_new(context_.get()), SSL_free};
    require(tls != nullptr);
    BIO* const in = BIO_new_mem_buf(flight.data(), static_cast<int>(size));
    BIO* const out = BIO_new(BIO_s_null());
    require(in != nullptr && out != nullptr);
    SSL_set_bio(tls.get(), in, out);
    SSL_set_app_data(tls.get(), &reading);
    SSL_accept(tls.get());
    if (const char* why = ERR_reason_error_string(ERR_peek_error())) reading.refusal = why;
    ERR_clear_error();
    return reading;
}

} // namespace exeat::test
