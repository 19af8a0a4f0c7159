#include <ops/approvals/signing_key.hpp>

#include <exeat/limits.hpp>
#include <ops/files/file_source.hpp>
#include <ops/text/digest.hpp>

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <utility>

namespace exeat::ops {

namespace {

template <auto Free> struct freed {
    template <class T> void operator()(T* p) const noexcept { Free(p); }
};
constexpr std::size_t signature_text = 88;
using bio = std::unique_ptr<BIO, freed<BIO_free>>;
using digest_context = std::unique_ptr<EVP_MD_CTX, freed<EVP_MD_CTX_free>>;
using store = std::unique_ptr<OSSL_STORE_CTX, freed<OSSL_STORE_close>>;
using store_info = std::unique_ptr<OSSL_STORE_INFO, freed<OSSL_STORE_INFO_free>>;
using public_handle = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY_free>>;
using ui_method = std::unique_ptr<UI_METHOD, freed<UI_destroy_method>>;

bio memory(std::string_view text) { return bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))}; }

std::string all_of(const bio& b)
{
    char* at = nullptr;
    const auto size = BIO_get_mem_data(b.get(), &at);
    return size > 0 ? std::string{at, static_cast<std::size_t>(size)} : std::string{};
}

const unsigned char* octets(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }

// Never prompts at a terminal, because an unattended run must not hang.
int give_passphrase(char* to, int size, int, void* from)
{
    const auto& passphrase = *static_cast<const std::string*>(from);
    if (passphrase.empty() || passphrase.size() > static_cast<std::size_t>(size)) return -1;
    std::memcpy(to, passphrase.data(), passphrase.size());
    return static_cast<int>(passphrase.size());
}

std::string id_of(const std::array<std::uint8_t, 32>& key)
{
    sha256_digest d;
    d.take({reinterpret_cast<const char*>(key.data()), key.size()});
    const auto value = d.finish();
    return value ? hexadecimal(*value).substr(0, limits::key_id_digits) : std::string{};
}

// OpenSSL's reason for the last error, if there is one.
std::string reason()
{
    const auto code = ERR_peek_last_error();
    ERR_clear_error();
    const char* text = code != 0 ? ERR_reason_error_string(code) : nullptr;
    return text != nullptr ? fmt::format(" ({})", text) : std::string{};
}

bool is_uri(std::string_view where) { return where.starts_with("pkcs11:"); }

EVP_PKEY* first_key(OSSL_STORE_CTX* from)
{
    while (!OSSL_STORE_eof(from)) {
        const store_info info{OSSL_STORE_load(from)};
        if (info && OSSL_STORE_INFO_get_type(info.get()) == OSSL_STORE_INFO_PKEY) return OSSL_STORE_INFO_get1_PKEY(info.get());
    }
    return nullptr;
}

EVP_PKEY* key_at(const std::string& uri, const std::string& passphrase)
{
    const ui_method ask{UI_UTIL_wrap_read_pem_callback(give_passphrase, 0)};
    auto* data = const_cast<std::string*>(&passphrase);
    const store from{OSSL_STORE_open(uri.c_str(), ask.get(), data, nullptr, nullptr)};
    return from ? first_key(from.get()) : nullptr;
}

} // namespace

std::string to_base64(const ed25519_signature& s)
{
    std::string out(signature_text + 1, '\0'); // OpenSSL appends a NUL
    ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), s.data(), static_cast<int>(s.size()));
    out.resize(signature_text);
    return out;
}

std::optional<ed25519_signature> signature_from_base64(std::string_view text)
{
    std::array<unsigned char, 66> all{};
    if (text.size() != signature_text) return std::nullopt;
    if (::EVP_DecodeBlock(all.data(), octets(text), static_cast<int>(text.size())) != static_cast<int>(all.size())) return std::nullopt;
    ed25519_signature out{};
    std::copy_n(all.begin(), out.size(), out.begin());
    if (to_base64(out) != text) return std::nullopt; // only the canonical spelling
    return out;
}

boost::system::result<public_key, std::string> public_key::read(const std::string& path)
{
    const auto text = read_whole(path, limits::key_file_bytes);
    if (!text) return fmt::format("{}: {}", path, text.error());
    const auto in = memory(*text);
    const public_handle key{PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr)};
    public_key out;
    auto size = out.octets_.size();
    const bool right = key && EVP_PKEY_is_a(key.get(), "ED25519") == 1 &&
                       EVP_PKEY_get_raw_public_key(key.get(), out.octets_.data(), &size) == 1 && size == out.octets_.size();
    if (!right) {
        const auto why = reason();
        return fmt::format("{}: is no Ed25519 public key in PEM{}; 'exeat keygen' makes one", path, why);
    }
    out.id_ = id_of(out.octets_);
    out.file_ = path;
    if (out.id_.empty()) return fmt::format("{}: SHA-256 could not be taken; check the OpenSSL installation", path);
    return out;
}

bool public_key::verifies(std::string_view message, const ed25519_signature& signature) const
{
    const public_handle key{EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, octets_.data(), octets_.size())};
    const digest_context context{EVP_MD_CTX_new()};
    const bool good = key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
                      EVP_DigestVerify(context.get(), signature.data(), signature.size(), octets(message), message.size()) == 1;
    ERR_clear_error();
    return good;
}

void private_key::release::operator()(evp_pkey_st* k) const noexcept { EVP_PKEY_free(k); }

boost::system::result<private_key, std::string> private_key::generate()
{
    return accept(handle{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")}, "a new key");
}

boost::system::result<private_key, std::string> private_key::accept(handle k, const std::string& where)
{
    if (k && EVP_PKEY_is_a(k.get(), "ED25519") == 1) return private_key{std::move(k)};
    if (k) return fmt::format("{}: is no Ed25519 key; 'exeat keygen' makes one", where);
    const auto why = reason();
    if (is_uri(where))
        return fmt::format("{}: no such key{}; a pkcs11: key needs OpenSSL's PKCS#11 provider, active in openssl.cnf", where, why);
    return fmt::format("{}: is not a private key in PEM that could be read{}; for an encrypted one give --passphrase-file", where, why);
}

boost::system::result<private_key, std::string> private_key::read(const std::string& where, const std::string& passphrase)
{
    if (is_uri(where)) return accept(handle{key_at(where, passphrase)}, where);
    const auto text = read_whole(where, limits::key_file_bytes);
    if (!text) return fmt::format("{}: {}", where, text.error());
    const auto in = memory(*text);
    auto* given = const_cast<std::string*>(&passphrase);
    return accept(handle{PEM_read_bio_PrivateKey(in.get(), nullptr, give_passphrase, given)}, where);
}

std::string private_key::id() const
{
    std::array<std::uint8_t, 32> key{};
    auto size = key.size();
    const bool got = EVP_PKEY_get_raw_public_key(key_.get(), key.data(), &size) == 1 && size == key.size();
    ERR_clear_error();
    return got ? id_of(key) : std::string{};
}

boost::system::result<ed25519_signature, std::string> private_key::sign(std::string_view message) const
{
    ed25519_signature out{};
    auto size = out.size();
    const digest_context context{EVP_MD_CTX_new()};
    const bool good = context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                      EVP_DigestSign(context.get(), out.data(), &size, octets(message), message.size()) == 1 && size == out.size();
    if (good) return out;
    const auto why = reason();
    return fmt::format("could not sign{}", why);
}

std::string private_key::private_pem(const std::string& passphrase) const
{
    const bio out{BIO_new(BIO_s_secmem())};
    const auto* cipher = passphrase.empty() ? nullptr : EVP_aes_256_cbc();
    const bool good = out && PEM_write_bio_PKCS8PrivateKey(out.get(), key_.get(), cipher, passphrase.data(),
                                                           static_cast<int>(passphrase.size()), nullptr, nullptr) == 1;
    return good ? all_of(out) : std::string{};
}

std::string private_key::public_pem() const
{
    const bio out{BIO_new(BIO_s_mem())};
    return out && PEM_write_bio_PUBKEY(out.get(), key_.get()) == 1 ? all_of(out) : std::string{};
}

} // namespace exeat::ops
