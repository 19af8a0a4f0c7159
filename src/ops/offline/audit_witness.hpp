// Evidence for an audit log besides its own chain: signatures of its checkpoints, and lines that are known from other sources. It is given
// every line of the chain, in order. Value; one thread.
#pragma once

#include <ops/approvals/signing_key.hpp>
#include <ops/evidence/audit_chain.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// A line whose hash, or the first 52 bits of it, is known.
struct known_line {
    std::uint64_t sequence = 0;
    std::string sha256; // empty: only `hash` is known
    std::uint64_t hash = 0;
    std::string source; // where it is known from, for messages
    bool seen = false;
};

class audit_witness {
public:
    audit_witness() = default;
    audit_witness(std::vector<public_key> keys, std::vector<known_line> known) : keys_{std::move(keys)}, known_{std::move(known)} {}

    // Returns what is wrong with the line, as the rest of a sentence whose subject is the line; empty: nothing is wrong.
    std::string see(std::string_view text, const audit_link&, std::string_view sha256);
    // After the last line: what is wrong with the log as a whole. `first` and `last` are the numbers of its first and last lines.
    std::vector<std::string> objections(std::uint64_t first, std::uint64_t last) const;

    struct proof {
        std::uint64_t sequence = 0; // all lines up to this one
        std::string by;
    };
    const std::optional<proof>& proven() const noexcept { return proven_; }
    // The last checkpoint, whether or not it is signed.
    struct checkpoint {
        std::uint64_t sequence = 0;
        std::string key, time, host, log; // key: empty when it is not signed
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
