// Limits what clients may upload to hosts that are new to them, when the detector first_seen does more than observe: a number of bytes an
// hour for each client at each such host, over all workers together, while the host is new. Bounded: beyond limits::new_hosts the least
// recently used pair is dropped; whatever already has its budget stays limited. Time is passed in, as in budget.hpp. Any thread.
#pragma once

#include <exeat/bounded_table.hpp>
#include <exeat/budget/budget.hpp>
#include <exeat/detect/keys.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>

namespace exeat {

class new_host_budget {
public:
    new_host_budget(std::uint64_t an_hour, budget_minutes now, budget_minutes until);

    std::uint64_t take(std::uint64_t want, budget_minutes now) noexcept { return now < until_ ? left_.take(want, now) : want; }
    void give_back(std::uint64_t unsent) noexcept { left_.give_back(unsent); }
    void overdraw(std::uint64_t n) noexcept { left_.overdraw(n); } // for bytes that have been sent already
    bool spent(budget_minutes now) noexcept { return now < until_ && left_.spent(now); }
    bool over(budget_minutes now) const noexcept { return now >= until_; }

private:
    upload_account left_;
    const budget_minutes until_;
};

class new_host_budgets {
public:
    // The seed keys the hashes.
    new_host_budgets(std::uint64_t seed, std::uint64_t an_hour);

    // Limits the client at the host from now on; `already` bytes were sent within the hour. False if it was limited before. Throws
    // std::bad_alloc.
    bool hold(const ip_address& client, std::string_view host, std::uint64_t already, budget_minutes now, budget_minutes until);
    std::shared_ptr<new_host_budget> find(const ip_address& client, std::string_view host, budget_minutes now); // null: not limited

private:
    using budgets = bounded_table<detect::client_key, std::shared_ptr<new_host_budget>, detect::client_key_hash>;
    detect::client_key key_of(const ip_address& client, std::string_view host) const noexcept;

    const std::uint64_t seed_, an_hour_;
    std::atomic<bool> any_{false}; // while false, find() needs no lock
    std::mutex mutex_;
    budgets held_;
};

} // namespace exeat
