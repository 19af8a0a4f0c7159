// Which hosts belong to which account, as bytes, to outlive the process (accounts.hpp), with a SHA-256 over everything before it, which
// detects disk errors. Numbers are little-endian. Pure but for the digest; any thread.
//
//   "exeat-accounts-2\n" | coverage now | coverage past | for each of its holdings: until u64 seconds since 1970, anywhere u8 | SHA-256
//   coverage: holdings u32, each: client scope u8, client u64, shared u64, entry u64, terms u64, groups u64, ports u32, u16 each | marks
//   u32, u64 each | clients u32, each: first address 16, groups u64
#pragma once

#include <exeat/budget/accounts.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

std::string encode(const account_history::state&); // empty when the library provides no SHA-256
std::optional<account_history::state> decode_accounts(std::string_view);

} // namespace exeat::ops
