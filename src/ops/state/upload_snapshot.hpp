// The upload accounts as bytes, to outlive the process: a header, the accounts with their windows, and a SHA-256 over everything before it,
// which detects disk errors (it does not stop anyone who can write the file). Numbers are little-endian. Pure but for the digest; any
// thread.
//
//   "exeat-uploads-3\n" | run: u64 of the tally (tally_file.hpp), 0: none | saved at: u64 minutes since 1970 |
//   certain: the same, 0: nothing | forgot: u64 minutes before "saved at", plus 1; 0: nothing |
//   clean: u8 (1), with accounts kept (2) | accounts: u32 | account... | SHA-256
//   account: scope u8 | client 16 | what u64 | tally: taken u64, account u32 |
//   sent, down, tunnels: each count u8, then as many pairs (step u8, bytes u64)
#pragma once

#include <exeat/budget/budget_book.hpp>
#include <exeat/rule.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

struct upload_snapshot {
    struct account {
        budget_key key;
        upload_account::snapshot sums;
        std::uint64_t taken = 0;  // by the tally, read no later than the sums
        std::uint32_t number = 0; // tally_record::account
        std::uint64_t more = 0;   // usage in the tally that is not in the sums; not written
    };
    std::uint64_t run = 0; // of the tally; 0: no tally
    wall_time saved_at{};
    std::optional<wall_time> certain;           // the wall clock has certainly reached this time (net/wall_clock.hpp)
    std::optional<std::chrono::minutes> forgot; // how long before saved_at a process started without knowing earlier usage
    bool clean = false;                         // written at a clean end
    bool knows_accounts = false;                // accounts are kept too, in their own file (account_ledger.hpp)
    std::vector<account> accounts;
};

upload_snapshot snapshot_of(budget_book&, budget_minutes now, bool clean); // without the times, the run and knows_accounts
std::string encode(const upload_snapshot&);                                // empty when the library provides no SHA-256
std::optional<upload_snapshot> decode_uploads(std::string_view) noexcept(false);
struct left_tally;
// Adds the usage since the snapshot from the tally of the same run. False: it is the tally of another run.
bool add_tally(upload_snapshot&, const left_tally&);
// Joins the accounts of clients that are one client now: `client_prefix` may have changed, which joins IPv6 addresses.
void join_clients(upload_snapshot&, std::uint8_t v6_bits);

} // namespace exeat::ops
