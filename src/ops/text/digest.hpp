// SHA-256 (FIPS 180-4) of bytes that arrive in pieces. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

extern "C" {
struct evp_md_ctx_st;
}

namespace exeat::ops {

class sha256_digest {
public:
    using value = std::array<std::uint8_t, 32>;

    sha256_digest();
    void take(std::string_view bytes) noexcept;
    void take(const value& v) noexcept;
    // Call once, at the end. Empty when the library provides no SHA-256.
    std::optional<value> finish() noexcept;

private:
    struct release {
        void operator()(evp_md_ctx_st*) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, release> context_;
    bool good_;
};

std::string hexadecimal(const sha256_digest::value&); // lower case

} // namespace exeat::ops
