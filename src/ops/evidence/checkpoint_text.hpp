// What the signature of a checkpoint covers: all of its line before it, and with that the number of the line, the hash of the line before,
// the machine and the log. So it can be moved neither within a log nor into another one. Pure; any thread.
#pragma once

#include <ops/approvals/signing_key.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

// What is signed: `line` without the signature and the closing brace.
std::string checkpoint_statement(std::string_view line);
void append_signature(std::string& line, std::string_view signature);

struct signed_checkpoint {
    std::string statement;
    ed25519_signature signature;
};
std::optional<signed_checkpoint> read_signature(std::string_view line); // absent: there is none

} // namespace exeat::ops
