// What each upload account took since this process began, in memory that a file may back: the next process finds it there however this one
// ends. Between two snapshots of the accounts it is all that a crash leaves (ops/state/tally_file.hpp).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace exeat {

// As it lies in the file. Little-endian; all zero: free.
struct tally_record {
    std::atomic<std::uint64_t> taken{0}; // bytes that could leave
    std::uint64_t what = 0;              // of the budget_key, as the two below
    std::array<std::uint8_t, 16> client{};
    std::atomic<std::uint32_t> scope{0}; // and 1; written last, so that a record without it is none
    std::uint32_t account = 0;           // another number for each account that has the record
};
static_assert(sizeof(tally_record) == 40 && std::atomic<std::uint64_t>::is_always_lock_free);

// Deals the records out. Any thread. Outlived by the records.
class upload_tally {
public:
    explicit upload_tally(std::span<tally_record> all);
    upload_tally(const upload_tally&) = delete;

    tally_record* take() noexcept; // null: there is none left
    void give_back(tally_record&) noexcept;

private:
    std::mutex lock_;
    std::vector<tally_record*> free_;
    std::uint32_t accounts_ = 0;
};

} // namespace exeat
