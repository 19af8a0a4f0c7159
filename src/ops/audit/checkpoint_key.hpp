// The key that signs the audit log's checkpoints, as [audit] checkpoint_key names it. Any thread; blocks.
#pragma once

#include <ops/approvals/signing_key.hpp>

#include <boost/system/result.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

inline constexpr std::string_view credential_prefix = "credential:"; // of systemd.exec(5), LoadCredential=

// Reads it and signs with it, so that a key that cannot sign is found before it is needed. No name, no key. The error is one line and says
// what to do.
boost::system::result<std::optional<private_key>, std::string> read_checkpoint_key(const std::string& checkpoint_key);

} // namespace exeat::ops
