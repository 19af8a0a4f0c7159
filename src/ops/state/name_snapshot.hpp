// The wildcard names' budgets as bytes, to outlive the process (name_budget.hpp): keyed hashes and counts, no name and no client, and the
// key; so the file is for its owner alone. Numbers are little-endian. Pure but for the digest; any thread.
//
//   "exeat-names-2\n" | saved at: u64 minutes since 1970 | into the step: u8 minutes | forgot: u8 steps before, plus 1; 0: nothing |
//   clean: u8 | seed: u64 | names: u32 | name... | accounts: u32 | account... | SHA-256
//   name: place u32 | tag u64 | age u8
//   account: client u64 (a keyed hash) | entry u64 | steps u8, then as many pairs (age u8, taken u16)
//
// "exeat-names-1\n" had a hash of both in place of client and entry: its names are read, and if it has accounts, they are lost.
#pragma once

#include <exeat/budget/name_budget.hpp>
#include <exeat/rule.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

struct name_snapshot {
    wall_time saved_at{};
    bool clean = false; // the process ended with it
    name_budget::snapshot budgets;
    bool knows_accounts = true; // the process also kept whose the hosts are (account_ledger.hpp)
    bool lost = false;          // what was used is not all there
};

std::string encode(const name_snapshot&); // empty when the library has no SHA-256 for us
// What encode() made, and nothing that a name_budget could not have written.
std::optional<name_snapshot> decode_names(std::string_view);

} // namespace exeat::ops
