// What each upload account took since this process started, in memory that a file may back: the next process finds it there however this
// one ends. After a crash it is the only record of what was sent since the last snapshot of the accounts (ops/state/tally_file.hpp).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace exeat {

// As stored in the file. Little-endian; all zero: free.
struct tally_record {
    std::atomic<std::uint64_t> taken{0}; // bytes that were allowed to leave
    std::uint64_t what = 0;              // of the budget_key, as are `client` and `scope`
    std::array<std::uint8_t, 16> client{};
    std::atomic<std::uint32_t> scope{0}; // plus 1; written last, so that 0 means no record
    std::uint32_t account = 0;           // a new number for each account that gets the record
};
static_assert(sizeof(tally_record) == 40 && std::atomic<std::uint64_t>::is_always_lock_free);

// Allocates the records. Any thread. The records outlive it.
class upload_tally {
public:
    explicit upload_tally(std::span<tally_record> all);
    upload_tally(const upload_tally&) = delete;

    tally_record* take() noexcept; // null: none is left
    void give_back(tally_record&) noexcept;

private:
    std::mutex lock_;
    std::vector<tally_record*> free_;
    std::uint32_t accounts_ = 0;
};

} // namespace exeat
