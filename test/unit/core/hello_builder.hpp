// Builds TLS ClientHellos, well-formed unless told otherwise, and cuts them into records. For tests and seed corpora.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace exeat::test {

// Big-endian, `octets` wide.
inline std::string number(std::size_t n, std::size_t octets)
{
    std::string out;
    while (octets-- > 0) out += static_cast<char>(n >> (8 * octets));
    return out;
}

// A vector of RFC 8446 section 3.4: its length, then itself.
inline std::string vector(std::string_view content, std::size_t length_octets)
{
    return number(content.size(), length_octets) + std::string{content};
}

inline std::span<const std::byte> octets(std::string_view s) { return std::as_bytes(std::span{s}); }

inline std::string record(std::string_view fragment, unsigned type = 22, unsigned version = 0x0301)
{
    return number(type, 1) + number(version, 2) + vector(fragment, 2);
}

// One record for each `size` bytes.
inline std::string records(std::string_view message, std::size_t size)
{
    std::string out;
    for (std::size_t at = 0; at < message.size(); at += size) out += record(message.substr(at, size));
    return out;
}

inline std::string server_name_entry(std::string_view name, unsigned type = 0) { return number(type, 1) + vector(name, 2); }

struct hello_builder {
    unsigned legacy_version = 0x0303;
    std::string random = std::string(32, 'r');
    std::string session_id = std::string(32, 's');
    std::string cipher_suites = "\x13\x01\x13\x02";
    std::string compression = std::string(1, '\0');
    std::vector<std::pair<unsigned, std::string>> extensions;
    bool extension_block = true;

    hello_builder& extension(unsigned type, std::string data = {})
    {
        extensions.emplace_back(type, std::move(data));
        return *this;
    }
    hello_builder& server_name_list(std::string_view entries) { return extension(0, vector(entries, 2)); }
    hello_builder& server_name(std::string_view name) { return server_name_list(server_name_entry(name)); }
    // What clients usually send beside the name; `key_share` octets of it (X25519: 32, X25519MLKEM768: 1,216).
    hello_builder& usual(std::size_t key_share = 32)
    {
        extension(0x2a2a); // GREASE, RFC 8701
        extension(43, vector("\x03\x04\x03\x03", 1));
        extension(13, vector("\x04\x03\x08\x04", 2));
        extension(16, vector(vector("h2", 1) + vector("http/1.1", 1), 2));
        return extension(51, vector(number(29, 2) + vector(std::string(key_share, 'k'), 2), 2));
    }

    std::string body() const
    {
        std::string block;
        for (const auto& [type, data] : extensions) block += number(type, 2) + vector(data, 2);
        return number(legacy_version, 2) + random + vector(session_id, 1) + vector(cipher_suites, 2) + vector(compression, 1) +
               (extension_block ? vector(block, 2) : std::string{});
    }
    std::string message() const { return number(1, 1) + vector(body(), 3); }
    std::string bytes() const { return record(message()); }
};

inline hello_builder hello_for(std::string_view name)
{
    hello_builder b;
    return b.server_name(name).usual();
}

} // namespace exeat::test
