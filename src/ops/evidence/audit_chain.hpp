// The thread through the audit log: each line has the number after the line before and that line's SHA-256. A value; one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;
struct evp_md_st;

namespace exeat::ops {

using sha256_hex = std::array<char, 64>;

class sha256 {
public:
    sha256(); // throws std::runtime_error when OpenSSL has no SHA-256
    sha256_hex of(std::string_view bytes);

private:
    struct free_context {
        void operator()(evp_md_ctx_st*) const noexcept;
    };
    struct free_digest {
        void operator()(evp_md_st*) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, free_context> context_;
    std::unique_ptr<evp_md_st, free_digest> digest_;
};

// The first line of a chain follows none.
inline constexpr std::string_view no_line_before = "0000000000000000000000000000000000000000000000000000000000000000";

// What one line says about its place.
struct audit_link {
    std::uint64_t sequence = 0;
    std::string previous;          // of the line before, lower-case hexadecimal
    std::uint64_t torn_octets = 0; // a crash left a fragment of this length between that line and this one
    std::string torn_sha256;       // of the fragment; empty in logs of before checkpoints, where `previous` is the fragment's
    std::string action;            // event.action
    std::uint64_t anchored = 0;    // gap, resumed: the sequence of the line that was anchored
    std::string host, log, key;    // checkpoint: host.name, log.file.path, the id of the key that signed it
    std::string time;              // @timestamp
};

// Absent where the line is no JSON object or has no such fields.
std::optional<audit_link> read_link(std::string_view line);

class audit_chain {
public:
    audit_chain();
    std::uint64_t sequence() const noexcept { return next_; }                                   // of the next line
    std::string_view previous() const noexcept { return {previous_.data(), previous_.size()}; } // the next line's
    void seal(std::string_view line);                                                           // it was written: without its newline
    // The next line follows `line`, which stands in a file of an earlier run; `sequence` is the next line's. No line: the chain begins.
    void resume(std::string_view line, std::uint64_t sequence);
    void resume_after(const sha256_hex& of_line, std::uint64_t sequence); // the same, by the line's hash

private:
    sha256 sha256_;
    std::uint64_t next_ = 1;
    sha256_hex previous_;
};

} // namespace exeat::ops
