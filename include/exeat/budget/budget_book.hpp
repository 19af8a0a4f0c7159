// The upload accounts of all keys: bounded, shared by all workers. Opening an account takes the lock of one of many parts; taking from it
// requires none (budget.hpp). When a part is full, an account that has used little of its limits is evicted, and of equal ones the one that
// has been idle longer; never an account with an open tunnel or a spent limit. The account of all pods of a service account ranks above the
// others. When none can be evicted, keys without room share one account of limits::crowded_budget an hour. Outlives its handles.
//
// When a list replaces another, accounts inherit (accounts.hpp). Workers adopt the new list one after the other, so for a moment some take
// from an account that has been passed on already. pass_on() first publishes the heirs and then copies; a worker looks for heirs after it
// has taken. So each byte is in the copy, or is taken from the heirs as well.
#pragma once

#include <exeat/budget/budget.hpp>
#include <exeat/budget/heirs.hpp>
#include <exeat/budget/upload_tally.hpp>
#include <exeat/ip_address.hpp>

#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace exeat {

struct budget_key {
    enum class scope : std::uint8_t { client_at_entry, client_at_purpose, entry };
    scope of = scope::client_at_purpose;
    ip_address client;      // all zero for an entry
    std::uint64_t what = 0; // id_of(entry's name), or the purpose

    static std::uint64_t id_of(std::string_view entry) noexcept; // the same in every process: FNV-1a; never 0
    bool operator==(const budget_key&) const = default;
};

// The accounts of all clients at an entry, or at a purpose, or the one of an entry over all clients.
struct account_id {
    budget_key::scope of = budget_key::scope::entry;
    std::uint64_t what = 0;
    auto operator<=>(const account_id&) const = default;
};

class budget_book {
    struct line {
        line(const budget_key&, const upload_limits&, budget_minutes now, std::optional<budget_minutes> forgot, upload_tally*);
        ~line();
        const budget_key key;
        upload_tally* const tally;
        tally_record* const record;
        upload_account account;
        std::atomic<std::uint32_t> open{0};
        budget_minutes used; // when it was last opened
    };

public:
    // Keeps an account open for one tunnel. Any thread, one at a time.
    class handle {
    public:
        handle() = default;
        handle(handle&& o) noexcept : line_{std::exchange(o.line_, nullptr)} {}
        handle& operator=(handle&& o) noexcept
        {
            std::swap(line_, o.line_);
            return *this;
        }
        ~handle()
        {
            if (line_ != nullptr) line_->open.fetch_sub(1, std::memory_order_release);
        }
        explicit operator bool() const noexcept { return line_ != nullptr; }
        upload_account* operator->() const noexcept { return &line_->account; }
        bool operator==(const handle& o) const noexcept { return line_ == o.line_; } // the same account

    private:
        friend class budget_book;
        explicit handle(line& l) noexcept : line_{&l} {}
        line* line_ = nullptr;
    };

    // `forgot`: see upload_account. The seed keys the hash that assigns clients to parts. `tally` counts what each account takes; null:
    // nothing does. It outlives the book.
    budget_book(std::uint64_t seed, budget_minutes now, std::optional<budget_minutes> forgot, upload_tally* tally = nullptr);
    budget_book(const budget_book&) = delete;

    handle open(const budget_key&, const upload_limits&, budget_minutes now);
    // Raises each account of the heirs to at least what was taken from the accounts that it inherits from. `generation` is that of the new
    // list. May be called again after it threw std::bad_alloc. One thread.
    void pass_on(const heirs_of<account_id>&, std::uint64_t generation, budget_minutes now);
    // The generation of the last list that had heirs.
    std::uint64_t generation() const noexcept { return generation_.load(); }
    // Appends handles of the accounts that inherit from this account under the lists after `generation`. Returns generation(). Throws
    // std::bad_alloc.
    std::uint64_t open_heirs(const handle& of, std::uint64_t generation, budget_minutes now, std::vector<handle>& to);
    // Restores an account from a snapshot; without effect when there is no room.
    void restore(const budget_key&, const upload_account::snapshot&, budget_minutes saved_at, const upload_account::later&,
                 budget_minutes now);
    // Locks one part at a time, so that others can open accounts meanwhile; the accounts stay valid for the call.
    template <class Visit> void each(Visit&& visit)
    {
        for (auto& p : parts_) {
            const std::lock_guard hold{p.lines_lock};
            for (auto& [key, l] : p.lines) visit(key, l->account);
        }
    }
    std::set<account_id> used(); // the accounts that exist for any key
    std::optional<budget_minutes> forgot() const noexcept { return forgot_; }
    std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
    std::uint64_t evicted() const noexcept { return evicted_.load(std::memory_order_relaxed); }
    std::uint64_t crowded() const noexcept { return crowded_.load(std::memory_order_relaxed); } // how often a key had no room

private:
    struct hash {
        std::uint64_t seed = 0;
        std::size_t operator()(const budget_key&) const noexcept;
    };
    struct part {
        std::mutex lines_lock;
        std::unordered_map<budget_key, std::unique_ptr<line>, hash> lines{0, hash{}};
        std::size_t hand = 0;           // the bucket that make_room() looked at last
        std::uint64_t full_in_pass = 0; // the pass_on() that found no room
    };
    static constexpr std::size_t part_count = 64;

    struct estate;
    std::vector<budget_key> keys_that_leave(const heirs_of<account_id>&);
    void pass_on_of(std::span<const budget_key> one_client, const heirs_of<account_id>&, budget_minutes now);
    void add_to(estate&, std::span<const budget_key> leaving, std::span<const account_id> heirs, budget_minutes now);
    std::optional<upload_limits> limits_of_used(const budget_key&, budget_minutes now); // absent: nothing was sent
    std::optional<std::pair<upload_account::bequest, budget_minutes>> copy_of(const budget_key&, bool only_excess, budget_minutes now);
    line* line_of_heir(part&, const budget_key&, const upload_limits&, budget_minutes now);
    std::size_t made() const noexcept { return size() + evicted(); }
    line* find_or_add(part&, const budget_key&, const upload_limits&, budget_minutes now);
    part& part_of(const budget_key& k) noexcept { return parts_[hash_(k) % part_count]; }
    bool make_room(part&, budget_minutes now);
    static double rank(const budget_key&, double share_used) noexcept; // what is evicted first has the least

    const hash hash_;
    const std::optional<budget_minutes> forgot_;
    upload_tally* const tally_;
    std::array<part, part_count> parts_;
    std::unique_ptr<line> shared_;
    std::atomic<std::size_t> size_{0};
    std::atomic<std::uint64_t> evicted_{0}, crowded_{0};
    std::atomic<std::uint64_t> generation_{0};
    std::uint64_t pass_ = 0; // counts the calls of pass_on()
    std::size_t made_before_ = 0;
    std::mutex heirs_lock_; // guards heirs_
    recent_heirs<account_id> heirs_;
};

} // namespace exeat
