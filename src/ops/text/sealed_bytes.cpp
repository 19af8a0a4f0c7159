#include <ops/text/sealed_bytes.hpp>

#include <ops/text/digest.hpp>

#include <cstring>

namespace exeat::ops {

namespace {

std::optional<sha256_digest::value> digest_of(std::string_view bytes)
{
    sha256_digest d;
    d.take(bytes);
    return d.finish();
}

} // namespace

bool seal(std::string& bytes)
{
    const auto digest = digest_of(bytes);
    if (digest) bytes.append(reinterpret_cast<const char*>(digest->data()), digest->size());
    return digest.has_value();
}

std::string sealed_heading(std::string_view format) { return std::string{format} + '\n'; }

std::optional<std::string_view> unsealed(std::string_view bytes, std::string_view format)
{
    const auto heading = sealed_heading(format);
    sha256_digest::value written{};
    if (!bytes.starts_with(heading) || bytes.size() < heading.size() + written.size()) return std::nullopt;
    const auto body = bytes.substr(0, bytes.size() - written.size());
    std::memcpy(written.data(), bytes.data() + body.size(), written.size());
    if (digest_of(body) != written) return std::nullopt;
    return body.substr(heading.size());
}

} // namespace exeat::ops
