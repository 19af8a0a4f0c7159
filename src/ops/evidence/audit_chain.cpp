#include <ops/evidence/audit_chain.hpp>

#include <exeat/limits.hpp>

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
    if (!done) throw std::bad_alloc{}; // SHA-256 can fail only for lack of memory
    sha256_hex hex{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 0xf];
    }
    return hex;
}

namespace {

// False: the field exists but is not a number of 64 bits.
bool number(const boost::json::object& fields, std::string_view key, std::uint64_t& to)
{
    const auto* value = fields.if_contains({key.data(), key.size()});
    if (value == nullptr) return true;
    boost::system::error_code failed;
    to = value->to_number<std::uint64_t>(failed);
    return !failed;
}

std::string text(const boost::json::object& fields, std::string_view key)
{
    const auto* value = fields.if_contains({key.data(), key.size()});
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

} // namespace

std::optional<audit_link> read_link(std::string_view line)
{
    std::array<unsigned char, 2 * limits::audit_line_bytes> room; // NOLINT: filled by the parser
    boost::json::monotonic_resource memory{room.data(), room.size()};
    boost::system::error_code failed;
    const auto value = boost::json::parse(boost::json::string_view{line.data(), line.size()}, failed, &memory);
    if (failed || !value.is_object()) return std::nullopt;
    const auto& fields = value.get_object();
    const auto* previous = fields.if_contains("exeat.audit.previous");
    if (!fields.contains("event.sequence") || previous == nullptr || !previous->is_string()) return std::nullopt;
    audit_link link;
    link.previous = text(fields, "exeat.audit.previous");
    if (!number(fields, "event.sequence", link.sequence) || !number(fields, "exeat.audit.torn_octets", link.torn_octets))
        return std::nullopt;
    link.action = text(fields, "event.action");
    link.time = text(fields, "@timestamp");
    if (link.torn_octets > 0) link.torn_sha256 = text(fields, "exeat.audit.torn_sha256");
    if (!number(fields, "exeat.audit.anchored", link.anchored)) return std::nullopt;
    if (link.action != "checkpoint") return link;
    link.host = text(fields, "host.name");
    link.log = text(fields, "log.file.path");
    link.key = text(fields, "exeat.audit.key");
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
    if (line.empty()) previous_.fill('0');
    else previous_ = sha256_.of(line);
    next_ = sequence;
}

void audit_chain::resume_after(const sha256_hex& of_line, std::uint64_t sequence)
{
    previous_ = of_line;
    next_ = sequence;
}

} // namespace exeat::ops
