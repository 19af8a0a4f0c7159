// The hash chain of the audit log: each line has the number after that of the line before, and that line's SHA-256. A value; one thread at
// a time.
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

// The hash in the first line of a chain, which has no line before it.
inline constexpr std::string_view no_line_before = "0000000000000000000000000000000000000000000000000000000000000000";

// The fields of one line that give its place in the chain.
struct audit_link {
    std::uint64_t sequence = 0;
    std::string previous;          // the hash of the line before, lower-case hexadecimal
    std::uint64_t torn_octets = 0; // a crash left a fragment of this length between that line and this one
    std::string torn_sha256;       // of the fragment; empty in logs older than checkpoints, where `previous` has the fragment's hash
    std::string action;            // event.action
    std::uint64_t anchored = 0;    // gap, resumed: the sequence of the anchored line
    std::string host, log, key;    // checkpoint: host.name, log.file.path, the ID of the key that signed it
    std::string time;              // @timestamp
};

// Absent when the line is not a JSON object or lacks these fields.
std::optional<audit_link> read_link(std::string_view line);

class audit_chain {
public:
    audit_chain();
    std::uint64_t sequence() const noexcept { return next_; }                                   // of the next line
    std::string_view previous() const noexcept { return {previous_.data(), previous_.size()}; } // written to the next line
    void seal(std::string_view line);                                                           // adds `line`, without its newline
    // The next line follows `line`, which is in a file of an earlier run; `sequence` is the number of the next line. An empty `line` starts
    // the chain.
    void resume(std::string_view line, std::uint64_t sequence);
    void resume_after(const sha256_hex& of_line, std::uint64_t sequence); // the same, with the line's hash

private:
    sha256 sha256_;
    std::uint64_t next_ = 1;
    sha256_hex previous_;
};

} // namespace exeat::ops
