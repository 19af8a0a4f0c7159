#include <ops/audit_chain.hpp>

#include <boost/json.hpp>
#include <new>
#include <openssl/evp.h>
#include <stdexcept>

namespace exeat::ops {

void sha256::free_context::operator()(evp_md_ctx_st* c) const noexcept { EVP_MD_CTX_free(c); }
void sha256::free_digest::operator()(evp_md_st* d) const noexcept { EVP_MD_free(d); }

sha256::sha256() : context_{EVP_MD_CTX_new()}, digest_{EVP_MD_fetch(nullptr, "SHA256", nullptr)}
{
    if (!context_ || !digest_) throw std::runtime_error{"OpenSSL has no SHA-256"};
}

sha256_hex sha256::of(std::string_view bytes)
{
    std::array<unsigned char, 32> digest{};
    unsigned size = 0;
    const bool done = EVP_DigestInit_ex2(context_.get(), digest_.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1 &&
                      EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1;
    if (!done) throw std::bad_alloc{}; // the one thing that SHA-256 can fail for
    sha256_hex hex{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 0xf];
    }
    return hex;
}

std::optional<audit_link> read_link(std::string_view line)
{
    boost::system::error_code failed;
    const auto value = boost::json::parse(boost::json::string_view{line.data(), line.size()}, failed);
    if (failed || !value.is_object()) return std::nullopt;
    const auto& fields = value.get_object();
    const auto* sequence = fields.if_contains("event.sequence");
    const auto* previous = fields.if_contains("exeat.audit.previous");
    if (sequence == nullptr || previous == nullptr || !previous->is_string()) return std::nullopt;
    const auto number = sequence->to_number<std::uint64_t>(failed);
    if (failed) return std::nullopt;
    audit_link link{number, {previous->get_string().data(), previous->get_string().size()}, 0};
    if (const auto* torn = fields.if_contains("exeat.audit.torn_octets")) link.torn_octets = torn->to_number<std::uint64_t>(failed);
    if (failed) return std::nullopt;
    return link;
}

audit_chain::audit_chain() { previous_.fill('0'); }

void audit_chain::seal(std::string_view line)
{
    previous_ = sha256_.of(line);
    ++next_;
}

void audit_chain::resume(std::string_view line, std::uint64_t sequence)
{
    previous_ = sha256_.of(line);
    next_ = sequence;
}

} // namespace exeat::ops
