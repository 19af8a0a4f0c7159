#include "approving.hpp"

#include <exeat/limits.hpp>

using namespace exeat;
using namespace exeat::testing;
using ops::private_key;
using ops::public_key;

namespace {

// What Ed25519 is not: an RSA public key (512 bits, thrown away).
constexpr std::string_view rsa = "-----BEGIN PUBLIC KEY-----\n"
                                 "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALg+6G5PsHjK0dYPKlWQzKp5lIvWUzSx\n"
                                 "TWqHAqM8HhqVdKYy2oyDKoB0rqzPykPRBNGVHwLz8MNAYBr2Dsd5ctMCAwEAAQ==\n"
                                 "-----END PUBLIC KEY-----\n";

std::string unread(const std::string& path)
{
    const auto k = public_key::read(path);
    return k ? std::string{} : k.error();
}

} // namespace

TEST_CASE("a key that was written is read back, encrypted too, and both halves have one id")
{
    const temporary_directory d;
    const auto made = private_key::generate();
    REQUIRE(made.has_value());
    for (const std::string passphrase : {"", "correct horse"}) {
        const auto back = private_key::read(d.write("k.key", made->private_pem(passphrase)), passphrase);
        REQUIRE(back.has_value());
        CHECK(back->id() == made->id());
        CHECK(back->id().size() == limits::key_id_digits);
        CHECK(back->public_pem() == made->public_pem());
    }
    CHECK(public_key::read(d.write("k.pub", made->public_pem()))->id() == made->id());
}

TEST_CASE("a private key with another passphrase or none is not read, and nobody is asked at a terminal")
{
    const temporary_directory d;
    const auto path = d.write("k.key", private_key::generate()->private_pem("correct horse"));
    for (const std::string passphrase : {"", "battery staple"}) {
        const auto k = private_key::read(path, passphrase);
        REQUIRE(!k.has_value());
        CHECK(k.error().find("--passphrase-file") != std::string::npos);
    }
}

TEST_CASE("a signature holds for its message and key alone")
{
    const temporary_directory d;
    const auto alice = new_key(d, "alice"), bob = new_key(d, "bob");
    auto signature = *alice.secret.sign("a message");
    CHECK(alice.known.verifies("a message", signature));
    CHECK(!alice.known.verifies("a messagf", signature));
    CHECK(!alice.known.verifies("", signature));
    CHECK(!bob.known.verifies("a message", signature));
    signature[63] ^= 1;
    CHECK(!alice.known.verifies("a message", signature));
}

TEST_CASE("what is no Ed25519 public key is told with its file")
{
    const temporary_directory d;
    const auto secret = d.write("secret", private_key::generate()->private_pem(""));
    for (const auto& path : {d.write("empty", ""), d.write("text", "ssh-ed25519 AAAA\n"), d.write("rsa", rsa), secret}) {
        CHECK(unread(path).starts_with(path + ": is no Ed25519 public key in PEM"));
        CHECK(unread(path).ends_with("'exeat keygen' makes one"));
    }
    CHECK(unread(d.path("none")).find("No such file") != std::string::npos);
    CHECK(private_key::read(d.path("none"), "").error().find("No such file") != std::string::npos);
}

TEST_CASE("a key file of as many bytes as may be is read, and one with more is not")
{
    const temporary_directory d;
    const auto pem = private_key::generate()->public_pem();
    CHECK(unread(d.write("k", std::string(limits::key_file_bytes - pem.size(), '\n') + pem)) == "");
    CHECK(unread(d.write("k", std::string(limits::key_file_bytes - pem.size() + 1, '\n') + pem)) != "");
}

TEST_CASE("a pkcs11: key that no provider serves is told as such")
{
    const auto k = private_key::read("pkcs11:object=nobody", "1234");
    REQUIRE(!k.has_value());
    CHECK(k.error().find("PKCS#11 provider") != std::string::npos);
}
