// The wildcard names that were counted since the last snapshot, for the next process when this one is killed: each is appended to
// `state`/names.journal when it is counted. A snapshot starts a new journal and, once it is on disk, the journal before it is removed; both
// are read back, and a name that is also in the snapshot counts once (name_budget.hpp). Not sealed, like the tally (tally_file.hpp).
//
// Little-endian: "exeat-names-journal-1\n", then records: client u64 | entry u64 | name u64 (keyed hashes) | minutes since 1970 u64.
#pragma once

#include <exeat/budget/name_budget.hpp>
#include <exeat/rule.hpp>
#include <net/sockets/unique_fd.hpp>
#include <ops/files/replace_file.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace exeat::ops {

class name_journal {
public:
    explicit name_journal(std::string path) : path_{std::move(path)} {} // empty: nothing is kept

    // Any thread. When it fails the journal is removed, so that after a crash half counts as used.
    void append(const name_budget::counted&, wall_time now) noexcept;
    // On the state's thread, before each snapshot. `saved`: the snapshot after the previous call is on disk. A first journal, or one after
    // a failure, gets its name only then: before, there would be names that neither it nor a snapshot has. Returns the error when there is
    // no journal.
    std::error_code begin(bool saved);

private:
    std::error_code begin_first();
    std::error_code rotate();
    std::error_code lost(const std::error_code&) noexcept;

    const std::string path_;
    std::mutex lock_;                        // guards the members below
    net::unique_fd to_;                      // the journal
    std::unique_ptr<unfinished_file> first_; // a journal without a name yet
    std::size_t bytes_ = 0;                  // of either
};

struct journalled_name {
    name_budget::counted what;
    wall_time at{};
};
// From both journals; empty: there is no journal, or one of them cannot be read.
std::optional<std::vector<journalled_name>> read_names_journal(const std::string& path);

} // namespace exeat::ops
