// The wildcard names' budgets as bytes, to outlive the process (name_budget.hpp): keyed hashes and counts, no names and no clients. The
// file contains the key of the hashes, so only its owner may read it. Numbers are little-endian. Pure but for the digest; any thread.
//
//   "exeat-names-2\n" | saved at: u64 minutes since 1970 | into the step: u8 minutes | forgot: u8 steps before, plus 1; 0: nothing |
//   clean: u8 | seed: u64 | names: u32 | name... | accounts: u32 | account... | SHA-256
//   name: place u32 | tag u64 | age u8
//   account: client u64 (a keyed hash) | entry u64 | steps u8, then as many pairs (age u8, taken u16)
//
// "exeat-names-1\n" has one hash of client and entry in place of both: its names are read, but its accounts are lost.
#pragma once

#include <exeat/budget/name_budget.hpp>
#include <exeat/rule.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

struct name_snapshot {
    wall_time saved_at{};
    bool clean = false; // written at a clean end
    name_budget::snapshot budgets;
    bool knows_accounts = true; // accounts are kept too, in their own file (account_ledger.hpp)
    bool lost = false;          // a part of the usage is missing
};

std::string encode(const name_snapshot&); // empty when the library provides no SHA-256
// Decodes what encode() wrote; empty when a name_budget could not have written it.
std::optional<name_snapshot> decode_names(std::string_view);

} // namespace exeat::ops
