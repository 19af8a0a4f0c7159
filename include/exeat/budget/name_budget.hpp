// How many different names one client has used under the wildcards of one entry. Under "*.w.example" every new label carries bits to the
// name servers of w.example (a DNS tunnel through an allowed wildcard); so labels are counted before they are looked up, and beyond
// rule::wildcard_names the verdict is name_budget. A name that was used within limits::name_window costs nothing, and stays known while it
// is used.
//
// The window slides in steps of limits::name_step and counts one step more than its length: within any limits::name_window there are never
// more new names than the entry allows. Time is passed in as minutes that never go back.
//
// Shared by all workers. A known name is found without a lock; a new one takes the lock of one of many parts. Both tables are bounded: a
// name without room counts again each time it is used, and a client without room is denied. They contain only keyed hashes, so that an
// outsider cannot choose names that collide; two names collide with a probability of 2^-44 for each comparison, and then count as one.
#pragma once

#include <exeat/budget/budget.hpp>
#include <exeat/budget/heirs.hpp>
#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace exeat {

class name_budget {
public:
    static constexpr std::size_t steps = limits::name_window / limits::name_step + 1; // within the window
    static constexpr unsigned tag_bits = 44;
    static constexpr std::size_t ancestors = 64; // at most, of one entry; names known at an ancestor cost nothing at the entry

    // The state that outlives a process. Ages are in steps, below `steps`.
    struct snapshot {
        struct name {
            std::uint32_t place = 0; // below limits::name_budget_names
            std::uint64_t tag = 0;
            std::uint8_t age = 0; // since its last use
        };
        struct account {
            std::uint64_t client = 0; // its hash
            std::uint64_t entry = 0;
            std::array<std::uint16_t, steps> taken{}; // by age
        };
        std::uint64_t seed = 0;             // of the hashes
        std::chrono::minutes into_step{0};  // how much of the current step had passed
        std::optional<std::uint8_t> forgot; // how many steps ago a process started that had no record of earlier use
        std::vector<name> names;            // by ascending place
        std::vector<account> accounts;      // one for each client at each entry
    };

    // `forgot`: this process has no record of earlier use. Until a window has passed, half of each budget counts as used, though at least
    // one name remains, so that a crash does not reset a budget.
    name_budget(std::uint64_t seed, budget_minutes now, bool forgot);
    // Continues from a snapshot that was written `age` ago.
    name_budget(const snapshot&, std::chrono::minutes age, budget_minutes now, bool forgot);
    name_budget(const name_budget&) = delete;

    // Whether the client may use the name (canonical text) under the wildcards of the entry, at most `most` names in all. `entry` is
    // budget_key::id_of() its name, `generation` is that of the list that sets `most`. Any thread. Throws std::bad_alloc, and then the name
    // may have been counted.
    bool take(const ip_address& client, std::uint64_t entry, std::string_view name, std::uint32_t most, budget_minutes now,
              std::uint64_t generation = std::numeric_limits<std::uint64_t>::max());
    // Afterwards a client has used at least as many names of an heir as of each entry that it inherits from, and names that it used there
    // cost nothing at the heir. Workers that still use a list before `generation` count at the heirs as well. May be called again after it
    // threw std::bad_alloc. One thread.
    void pass_on(const heirs_of<std::uint64_t>&, std::uint64_t generation, budget_minutes now);

    // A name that was counted, as hashes keyed with the seed.
    struct counted {
        std::uint64_t client = 0, entry = 0, name = 0;
    };
    // Sets a function that is called for each name that take() counts, on its thread. Call it before the first take().
    void on_counted(std::function<void(const counted&)> tell) { tell_ = std::move(tell); }
    // Counts a name that was counted `age` ago by a name_budget with the same seed, unless it is known. One thread.
    void count_again(const counted&, std::chrono::minutes age, budget_minutes now);

    // Any thread. Locks one part at a time; a name that is taken meanwhile may be counted in the snapshot and not known, never the reverse.
    snapshot written(budget_minutes now);

private:
    using cell = std::atomic<std::uint64_t>; // tag in the high bits, step of the last use in the low bits; 0: never used
    using step = std::uint32_t;
    struct account_key {
        std::uint64_t client = 0; // its hash
        std::uint64_t entry = 0;
        std::uint64_t place() const noexcept; // a hash that selects the part and the position in it
        bool operator==(const account_key&) const = default;
    };
    struct account {
        account_key key;
        step newest = 0;                          // newest step in `taken`; 0: never used
        std::array<std::uint16_t, steps> taken{}; // by step modulo `steps`, up to the newest

        std::uint32_t sum(step now) const noexcept;
        void add(step now) noexcept;
        // Adds to each step what `other` exceeds `before` by.
        void inherit(const account& before, const account& other, step now) noexcept;
    };
    struct lineage { // of entries
        recent_heirs<std::uint64_t> heirs;
        std::map<std::uint64_t, std::vector<std::uint64_t>> ancestors_of; // ascending; only entries with ancestors
    };
    static constexpr std::size_t part_count = 64;
    static constexpr std::size_t accounts_of_part = limits::name_budget_counts / part_count;
    struct part {
        std::mutex lock;
        std::vector<account> accounts = std::vector<account>(accounts_of_part);
        std::shared_ptr<const lineage> of_entries = std::make_shared<const lineage>();
    };

    step step_at(budget_minutes now) const noexcept;
    std::uint32_t held_to(std::uint32_t most, step now) const noexcept;
    bool knows(std::uint64_t name, step now) noexcept;
    void remember(std::uint64_t name, step now) noexcept; // if there is room
    bool was_known(const lineage&, const ip_address& client, std::uint64_t entry, std::string_view name, step now) noexcept;
    bool count_at(const account_key&, std::uint32_t most, step now) noexcept;
    std::vector<account_key> keys_that_leave(const heirs_of<std::uint64_t>&, step now);
    void pass_on_of(const account_key& from, const heirs_of<std::uint64_t>&, step now);
    std::optional<account> copy_of(const account_key&, step now);
    part& part_of(const account_key& k) noexcept { return parts_[k.place() >> 32 & (part_count - 1)]; }
    static account* account_of(part&, const account_key&, step now) noexcept;

    const std::uint64_t seed_;
    const std::chrono::minutes ahead_; // is added to the time passed in, so that steps continue where the previous process stopped
    std::optional<step> forgot_;
    std::function<void(const counted&)> tell_;
    std::vector<cell> names_;
    std::array<part, part_count> parts_;
};

} // namespace exeat
