// Ed25519 keys (RFC 8032) in OpenSSL: PEM files, and for private keys also a URI that a provider supports ("pkcs11:...", RFC 7512, where
// one is installed and configured in openssl.cnf). Values; any thread.
#pragma once

#include <array>
#include <boost/system/result.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

extern "C" {
struct evp_pkey_st;
}

namespace exeat::ops {

using ed25519_signature = std::array<std::uint8_t, 64>;

std::string to_base64(const ed25519_signature&);
std::optional<ed25519_signature> signature_from_base64(std::string_view); // absent for any other spelling

class public_key {
public:
    // The error is one line and says how to fix it.
    static boost::system::result<public_key, std::string> read(const std::string& path);

    // The first 16 hexadecimal digits of the SHA-256 of the 32 octets: people compare it, and signatures identify the key by it.
    const std::string& id() const noexcept { return id_; }
    const std::string& file() const noexcept { return file_; }
    bool verifies(std::string_view message, const ed25519_signature&) const;

private:
    public_key() = default;
    std::array<std::uint8_t, 32> octets_{};
    std::string id_, file_;
};

class private_key {
public:
    static boost::system::result<private_key, std::string> generate();
    // `where` is a PEM file or a URI. `passphrase` may be empty.
    static boost::system::result<private_key, std::string> read(const std::string& where, const std::string& passphrase);

    std::string id() const; // of its public key; empty when OpenSSL does not return it
    boost::system::result<ed25519_signature, std::string> sign(std::string_view message) const;
    std::string private_pem(const std::string& passphrase) const; // PKCS#8; encrypted when there is a passphrase
    std::string public_pem() const;

private:
    struct release {
        void operator()(evp_pkey_st*) const noexcept;
    };
    using handle = std::unique_ptr<evp_pkey_st, release>;
    explicit private_key(handle k) : key_{std::move(k)} {}
    static boost::system::result<private_key, std::string> accept(handle, const std::string& where);
    handle key_;
};

} // namespace exeat::ops
