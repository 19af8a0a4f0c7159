#include <ops/evidence/audit_anchor.hpp>

#include <ops/text/digest.hpp>
#include <ops/text/formats.hpp>
#include <ops/text/sealed_bytes.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr auto magic = formats::anchor;
constexpr std::size_t digits_of_52_bits = 13;

std::string text(const boost::json::object& fields, std::string_view key)
{
    const auto* value = fields.if_contains({key.data(), key.size()});
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

bool is_hash(std::string_view s) noexcept { return s.size() == 64 && s.find_first_not_of("0123456789abcdef") == s.npos; }

} // namespace

std::string encode(const audit_anchor& a)
{
    const boost::json::object fields{{"sequence", a.sequence}, {"sha256", a.sha256}, {"at", utc(a.at)}, {"host", a.host}, {"log", a.log}};
    auto out = fmt::format("{}\n{}\n", magic, boost::json::serialize(fields));
    if (!seal(out)) return {};
    return out;
}

std::optional<audit_anchor> decode_anchor(std::string_view bytes)
{
    const auto body = unsealed(bytes, magic);
    boost::system::error_code failed;
    const auto value = body ? boost::json::parse({body->data(), body->size()}, failed) : boost::json::value{};
    if (failed || !value.is_object()) return std::nullopt;
    const auto& fields = value.get_object();
    audit_anchor out;
    if (const auto* n = fields.if_contains("sequence")) out.sequence = n->to_number<std::uint64_t>(failed);
    out.sha256 = text(fields, "sha256");
    out.host = text(fields, "host");
    out.log = text(fields, "log");
    const auto at = parse_utc(text(fields, "at"));
    if (failed || out.sequence == 0 || !is_hash(out.sha256) || !at) return std::nullopt;
    out.at = *at;
    return out;
}

std::string anchor_name(const std::string& log)
{
    constexpr std::size_t digits = 16;
    std::error_code failed;
    const auto where = log == "stdout" ? std::filesystem::path{log} : std::filesystem::absolute(log, failed).lexically_normal();
    sha256_digest d;
    d.take(where.string());
    const auto digest = d.finish();
    return fmt::format("{}{}", anchor_prefix, digest ? hexadecimal(*digest).substr(0, digits) : std::string{"log"});
}

std::uint64_t first_52_bits(std::string_view sha256) noexcept
{
    std::uint64_t out = 0;
    if (is_hash(sha256)) std::from_chars(sha256.data(), sha256.data() + digits_of_52_bits, out, 16);
    return out;
}

} // namespace exeat::ops
