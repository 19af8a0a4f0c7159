#include <ops/text/digest.hpp>

#include <openssl/evp.h>

namespace exeat::ops {

void sha256_digest::release::operator()(evp_md_ctx_st* c) const noexcept { EVP_MD_CTX_free(c); }

sha256_digest::sha256_digest()
    : context_{EVP_MD_CTX_new()}, good_{context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1}
{}

void sha256_digest::take(std::string_view bytes) noexcept
{
    good_ = good_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
}

void sha256_digest::take(const value& v) noexcept { good_ = good_ && EVP_DigestUpdate(context_.get(), v.data(), v.size()) == 1; }

std::optional<sha256_digest::value> sha256_digest::finish() noexcept
{
    value out{};
    unsigned size = 0;
    good_ = good_ && EVP_DigestFinal_ex(context_.get(), out.data(), &size) == 1 && size == out.size();
    return good_ ? std::optional{out} : std::nullopt;
}

std::string hexadecimal(const sha256_digest::value& v)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(2 * v.size());
    for (const auto octet : v) {
        out += digits[octet >> 4];
        out += digits[octet & 15];
    }
    return out;
}

} // namespace exeat::ops
