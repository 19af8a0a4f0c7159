// What vouches for an audit log beside its own chain: signatures of its checkpoints, and places of it that are known from elsewhere. Is
// shown every line of the chain, in order. Value; one thread.
#pragma once

#include <ops/approvals/signing_key.hpp>
#include <ops/evidence/audit_chain.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// A line whose hash is known, or its first 52 bits.
struct known_line {
    std::uint64_t sequence = 0;
    std::string sha256; // empty: only what follows is known
    std::uint64_t hash = 0;
    std::string source; // who says so, for people
    bool seen = false;
};

class audit_witness {
public:
    audit_witness() = default;
    audit_witness(std::vector<public_key> keys, std::vector<known_line> known) : keys_{std::move(keys)}, known_{std::move(known)} {}

    // What is wrong with the line, as the end of a sentence that begins with it; empty: nothing.
    std::string see(std::string_view text, const audit_link&, std::string_view sha256);
    // At the end: what is wrong with the log as a whole, whose last line has this number.
    std::vector<std::string> objections(std::uint64_t first, std::uint64_t last) const;

    struct proof {
        std::uint64_t sequence = 0; // up to this line
        std::string by;
    };
    const std::optional<proof>& proven() const noexcept { return proven_; }
    // The last checkpoint, whoever signed it.
    struct checkpoint {
        std::uint64_t sequence = 0;
        std::string key, time, host, log; // key: empty where it is not signed
        bool verified = false;
    };
    const std::optional<checkpoint>& last_checkpoint() const noexcept { return last_; }

private:
    std::string see_checkpoint(std::string_view text, const audit_link&);
    void prove(std::uint64_t sequence, std::string by);

    std::vector<public_key> keys_;
    std::vector<known_line> known_;
    std::optional<proof> proven_;
    std::optional<checkpoint> last_;
};

} // namespace exeat::ops
