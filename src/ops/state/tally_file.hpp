// The tally of uploads (budget/upload_tally.hpp) in a memory-mapped file of the state directory: usage is in the file at once and without a
// system call, so it survives a killed process. When the machine crashes, the file contains what the kernel had written back.
//
// Little-endian: "exeat-tally-1\n" and zeros: 16 octets | run u64 | alive u64, minutes since 1970 | the records. Not sealed, because it
// changes all the time: whoever can write it can change only what was sent since the last snapshot.
#pragma once

#include <exeat/budget/upload_tally.hpp>
#include <exeat/rule.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace exeat::ops {

class tally_file {
public:
    tally_file(); // in memory only. Throws std::bad_alloc
    ~tally_file();
    tally_file(const tally_file&) = delete;

    upload_tally& tally() noexcept { return *tally_; }
    std::uint64_t run() const noexcept { return run_; } // a random number, never 0
    // From now on the tally is also in this file, which is created. One thread. Usage during the switch (microseconds) may be missing from
    // the file.
    std::error_code attach(const std::string& path);
    bool attached() const noexcept { return attached_; }
    void alive(wall_time now) noexcept; // stores the time as the last sign of life; any thread

private:
    struct heading;
    heading& head() noexcept;

    void* memory_ = nullptr;
    const std::uint64_t run_;
    bool attached_ = false;
    std::optional<upload_tally> tally_;
};

// The content of a tally file of an earlier process.
struct left_tally {
    struct account {
        std::uint8_t scope = 0;
        std::array<std::uint8_t, 16> client{};
        std::uint64_t what = 0, taken = 0;
        std::uint32_t number = 0; // tally_record::account
    };
    std::uint64_t run = 0;
    wall_time alive{};
    std::vector<account> accounts;
};
std::optional<left_tally> read_tally(std::string_view bytes); // empty: not of this format
std::size_t tally_bytes() noexcept;                           // size of the file

} // namespace exeat::ops
