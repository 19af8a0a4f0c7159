// The signature of a checkpoint covers all of its line before the signature, and thereby the number of the line, the hash of the line
// before, the machine and the log. It is therefore not valid at another place in the log or in another log. Pure; any thread.
#pragma once

#include <ops/approvals/signing_key.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

// The signed text: `line` is without the signature and the closing brace.
std::string checkpoint_statement(std::string_view line);
void append_signature(std::string& line, std::string_view signature);

struct signed_checkpoint {
    std::string statement;
    ed25519_signature signature;
};
std::optional<signed_checkpoint> read_signature(std::string_view line); // absent: there is none

} // namespace exeat::ops
