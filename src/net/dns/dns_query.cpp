#include <net/dns/dns_query.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <array>
#include <sys/random.h>

namespace exeat::net {

namespace {

bool letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) noexcept { return letter(c) ? static_cast<char>(c | 0x20) : c; }

} // namespace

std::uint16_t identity(std::string_view message) noexcept
{
    return static_cast<std::uint16_t>(static_cast<unsigned char>(message[0]) << 8 | static_cast<unsigned char>(message[1]));
}

void write_identity(std::span<char> message, std::uint16_t identity) noexcept
{
    message[0] = static_cast<char>(identity >> 8);
    message[1] = static_cast<char>(identity & 0xff);
}

std::optional<std::string_view> question_of(std::string_view query) noexcept
{
    if (query.size() < dns_header_octets || query.size() > dns_query_octets) return std::nullopt;
    auto at = dns_header_octets;
    while (at < query.size() && query[at] != 0) {
        const auto label = static_cast<unsigned char>(query[at]);
        if (label > limits::label_octets) return std::nullopt;
        at += label + std::size_t{1};
    }
    const auto size = at + 5 - dns_header_octets;
    if (at + 5 > query.size()) return std::nullopt;
    return query.substr(dns_header_octets, size);
}

bool same_but_for_case(std::string_view a, std::string_view b) noexcept
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

void lower_case(std::span<char> text) noexcept
{
    for (auto& c : text) c = lower(c);
}

bool mix_case(std::span<char> question) noexcept
{
    std::array<unsigned char, 32> bits{};
    static_assert(bits.size() * 8 > limits::hostname_octets + 2);
    if (::getrandom(bits.data(), bits.size(), GRND_NONBLOCK) != static_cast<ssize_t>(bits.size())) return false;
    for (std::size_t i = 0; i + 4 < question.size(); ++i)
        if (letter(question[i])) question[i] = static_cast<char>(lower(question[i]) ^ ((bits[i / 8] >> (i % 8) & 1) << 5));
    return true;
}

} // namespace exeat::net
