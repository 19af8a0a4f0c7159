// The key that signs the audit log's checkpoints, as named by [audit] checkpoint_key. Any thread; blocks.
#pragma once

#include <ops/approvals/signing_key.hpp>

#include <boost/system/result.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

inline constexpr std::string_view credential_prefix = "credential:"; // of systemd.exec(5), LoadCredential=

// Reads the key and makes a test signature, so that a key that cannot sign is found before it is needed. Without a name there is no key.
// The error is one line and says what to do.
boost::system::result<std::optional<private_key>, std::string> read_checkpoint_key(const std::string& checkpoint_key);

} // namespace exeat::ops
