// The upload accounts of all keys: bounded, shared by all workers. Opening an account takes the lock of one of many parts; taking from it
// takes none (budget.hpp). When a part is full the account goes that has been idle longest, never one with an open tunnel or a spent
// limit; when none can go, keys without room share one account of limits::crowded_budget an hour. Outlives its handles.
#pragma once

#include <exeat/budget.hpp>
#include <exeat/ip_address.hpp>

#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace exeat {

struct budget_key {
    enum class scope : std::uint8_t { client_at_entry, client_at_purpose, entry };
    scope of = scope::client_at_purpose;
    ip_address client;      // all zero for an entry
    std::uint64_t what = 0; // id_of(entry's name), or the purpose

    static std::uint64_t id_of(std::string_view entry) noexcept; // the same in every process: FNV-1a; never 0
    bool operator==(const budget_key&) const = default;
};

class budget_book {
    struct line {
        line(const upload_limits& to, budget_minutes now, std::optional<budget_minutes> forgot) : account{to, now, forgot}, used{now} {}
        upload_account account;
        std::atomic<std::uint32_t> open{0};
        budget_minutes used; // last opened
    };

public:
    // Keeps an account open; of one tunnel. Any thread, one at a time.
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

    private:
        friend class budget_book;
        explicit handle(line& l) noexcept : line_{&l} {}
        line* line_ = nullptr;
    };

    // `forgot`: see upload_account; the seed keys the hash by which clients are dealt out to the parts.
    budget_book(std::uint64_t seed, budget_minutes now, std::optional<budget_minutes> forgot);
    budget_book(const budget_book&) = delete;

    handle open(const budget_key&, const upload_limits&, budget_minutes now);
    // Puts an account back as it was; without effect when there is no room.
    void restore(const budget_key&, const upload_account::snapshot&, budget_minutes saved_at, budget_minutes now);
    // One part locked at a time, so calls may come while others open; the accounts stay for the call.
    template <class Visit> void each(Visit&& visit)
    {
        for (auto& p : parts_) {
            const std::lock_guard hold{p.lines_lock};
            for (auto& [key, l] : p.lines) visit(key, l->account);
        }
    }
    std::optional<budget_minutes> forgot() const noexcept { return forgot_; }
    std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
    std::uint64_t evicted() const noexcept { return evicted_.load(std::memory_order_relaxed); }
    std::uint64_t crowded() const noexcept { return crowded_.load(std::memory_order_relaxed); } // times that a key found no room

private:
    struct hash {
        std::uint64_t seed = 0;
        std::size_t operator()(const budget_key&) const noexcept;
    };
    struct part {
        std::mutex lines_lock;
        std::unordered_map<budget_key, std::unique_ptr<line>, hash> lines{0, hash{}};
    };
    static constexpr std::size_t part_count = 64;

    line* find_or_add(part&, const budget_key&, const upload_limits&, budget_minutes now);
    bool make_room(part&, budget_minutes now);

    const hash hash_;
    const std::optional<budget_minutes> forgot_;
    std::array<part, part_count> parts_;
    std::unique_ptr<line> shared_;
    std::atomic<std::size_t> size_{0};
    std::atomic<std::uint64_t> evicted_{0}, crowded_{0};
};

} // namespace exeat
