// How many different names one client has used under the wildcards of one entry. Under "*.w.example" every new label is bits that the
// look-up carries to whoever answers for w.example (a DNS tunnel through an allowed wildcard); so the labels are counted before they are
// looked up, and beyond rule::wildcard_names the verdict is name_budget. A name that was used within limits::name_window costs nothing,
// and stays known while it is used.
//
// The window slides in steps of limits::name_step and counts one step more than it must: within any limits::name_window there are never
// more new names than the entry allows. Time is handed in as minutes that never go back.
//
// Shared by all workers. A name that is known is found without a lock; a new one takes the lock of one of many parts. Both tables are
// bounded: a name that finds no room counts again each time it is used, and a client that finds none is denied. They hold keyed hashes
// only, so that nobody outside can choose names that collide; two names share one with a probability of 2^-44 for each comparison, and
// then count as one.
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
    static constexpr std::size_t steps = limits::name_window / limits::name_step + 1; // that count
    static constexpr unsigned tag_bits = 44;
    static constexpr std::size_t ancestors = 64; // of an entry, whose names cost nothing there

    // What outlives a process. Ages are in steps, below `steps`.
    struct snapshot {
        struct name {
            std::uint32_t place = 0; // below limits::name_budget_names
            std::uint64_t tag = 0;
            std::uint8_t age = 0; // since it was used last
        };
        struct account {
            std::uint64_t client = 0; // its hash
            std::uint64_t entry = 0;
            std::array<std::uint16_t, steps> taken{}; // by age
        };
        std::uint64_t seed = 0;             // of the hashes
        std::chrono::minutes into_step{0};  // so much of the step had passed
        std::optional<std::uint8_t> forgot; // steps ago, a process began that did not know what was before it
        std::vector<name> names;            // by ascending place
        std::vector<account> accounts;      // each client at each entry once
    };

    // `forgot`: this process does not know what was used before it; until a window has passed since, half of each budget counts as used,
    // but for one name, so that a crash is no reset.
    name_budget(std::uint64_t seed, budget_minutes now, bool forgot);
    // Goes on from what was written `age` ago.
    name_budget(const snapshot&, std::chrono::minutes age, budget_minutes now, bool forgot);
    name_budget(const name_budget&) = delete;

    // Whether the client may use the name (canonical text) under the wildcards of the entry, of which it may use `most`. `entry` is
    // budget_key::id_of() its name, `generation` that of the list that says so. Any thread.
    // Throws std::bad_alloc, and then the name may have been counted.
    bool take(const ip_address& client, std::uint64_t entry, std::string_view name, std::uint32_t most, budget_minutes now,
              std::uint64_t generation = std::numeric_limits<std::uint64_t>::max());
    // A client has used at least as many names of an heir as of each entry that it inherits from, and those that it used there cost
    // nothing at the heir. Workers that still judge by a list before `generation` take from the heirs as well. May be called again when it
    // threw std::bad_alloc. One thread.
    void pass_on(const heirs_of<std::uint64_t>&, std::uint64_t generation, budget_minutes now);

    // A name that was counted, in hashes keyed with the seed.
    struct counted {
        std::uint64_t client = 0, entry = 0, name = 0;
    };
    // Called for each name that take() counts, on its thread. Before the first take().
    void on_counted(std::function<void(const counted&)> tell) { tell_ = std::move(tell); }
    // Counts a name that was counted so long ago, by what has the same seed, unless it is known. One thread.
    void count_again(const counted&, std::chrono::minutes age, budget_minutes now);

    // Any thread. One part is locked at a time; a name that is taken meanwhile may be counted in it and not known, never the other way.
    snapshot written(budget_minutes now);

private:
    using cell = std::atomic<std::uint64_t>; // tag above, step of the last use in the lower bits; 0: never used
    using step = std::uint32_t;
    struct account_key {
        std::uint64_t client = 0; // its hash
        std::uint64_t entry = 0;
        std::uint64_t place() const noexcept; // among all
        bool operator==(const account_key&) const = default;
    };
    struct account {
        account_key key;
        step newest = 0;                          // of what is in it; 0: never used
        std::array<std::uint16_t, steps> taken{}; // by step modulo `steps`, up to the newest

        std::uint32_t sum(step now) const noexcept;
        void add(step now) noexcept;
        // As it was before, raised to the other one, and what came since.
        void inherit(const account& before, const account& other, step now) noexcept;
    };
    struct lineage { // of entries
        recent_heirs<std::uint64_t> heirs;
        std::map<std::uint64_t, std::vector<std::uint64_t>> ancestors_of; // ascending, of each entry that has any
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
    void remember(std::uint64_t name, step now) noexcept; // where there is room
    bool was_known(const lineage&, const ip_address& client, std::uint64_t entry, std::string_view name, step now) noexcept;
    bool count_at(const account_key&, std::uint32_t most, step now) noexcept;
    std::vector<account_key> keys_that_leave(const heirs_of<std::uint64_t>&, step now);
    void pass_on_of(const account_key& from, const heirs_of<std::uint64_t>&, step now);
    std::optional<account> copy_of(const account_key&, step now);
    part& part_of(const account_key& k) noexcept { return parts_[k.place() >> 32 & (part_count - 1)]; }
    static account* account_of(part&, const account_key&, step now) noexcept;

    const std::uint64_t seed_;
    const std::chrono::minutes ahead_; // of the time that is handed in: steps go on where the process before stopped
    std::optional<step> forgot_;
    std::function<void(const counted&)> tell_;
    std::vector<cell> names_;
    std::array<part, part_count> parts_;
};

} // namespace exeat
