// The upload accounts as bytes, to outlive the process: a header, the accounts with what their windows hold, and a SHA-256 over all before
// it, for a disk that errs (whoever can write the file is not kept out). Numbers are little-endian. Pure but for the digest; any thread.
//
//   "exeat-uploads-3\n" | run: u64 of the tally (tally_file.hpp), 0: none | saved at: u64 minutes since 1970 | certain: the same, 0:
//   nothing | forgot: u64 minutes before that, plus 1; 0: nothing | clean: u8 (1), with accounts kept (2) | accounts: u32 | account... |
//   SHA-256 account: scope u8 | client 16 | what u64 | tally: taken u64, account u32 | sent, down, tunnels: each count u8, then as many
//   pairs (step u8, bytes u64)
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
        std::uint64_t taken = 0;  // by the tally, no later than the sums
        std::uint32_t number = 0; // tally_record::account
        std::uint64_t more = 0;   // that the tally has and the sums have not; not written
    };
    std::uint64_t run = 0; // of the tally; 0: there is none
    wall_time saved_at{};
    std::optional<wall_time> certain;           // that it was at least then (net/wall_clock.hpp)
    std::optional<std::chrono::minutes> forgot; // so long before that a process began which did not know what was before it
    bool clean = false;                         // the process ended with it
    bool knows_accounts = false;                // the process also kept whose the hosts are (account_ledger.hpp)
    std::vector<account> accounts;
};

upload_snapshot snapshot_of(budget_book&, budget_minutes now, bool clean); // without the times
std::string encode(const upload_snapshot&);                                // empty when the library has no SHA-256 for us
std::optional<upload_snapshot> decode_uploads(std::string_view) noexcept(false);
struct left_tally;
// Adds what the tally of the same run says was taken since. False: it is of another run.
bool add_tally(upload_snapshot&, const left_tally&);
// What clients used that are one client now becomes one account: `client_prefix` may have been changed, which joins addresses in IPv6.
void join_clients(upload_snapshot&, std::uint8_t v6_bits);

} // namespace exeat::ops
