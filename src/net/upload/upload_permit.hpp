// The upload accounts that limit one tunnel: its client's account at the entry or at the entry's purpose, the same account of all pods of
// the client's service account, if it is a pod, and the entry's account over all clients, if it has such a limit. Bytes are taken from all
// of them before they are written upstream, and bytes that the socket did not accept are given back. If a newer list has already passed the
// accounts on, bytes are taken from their heirs as well. One worker's thread; the book outlives it.
#pragma once

#include <exeat/budget/budget_book.hpp>
#include <exeat/policy.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace exeat::net {

budget_minutes budget_now() noexcept; // of the monotonic clock; never before limits::budget_epoch

// Whose accounts they are.
struct uploader {
    ip_address client;                    // client::key
    std::optional<ip_address> identity{}; // pod::identity
    std::uint32_t instances = 1;          // how many pods of this identity there may be
};

class upload_permit {
public:
    upload_permit() = default;
    // `generation`: of the list that contains the rule. Throws std::bad_alloc.
    upload_permit(budget_book&, const uploader&, const rule& by, const policy_settings&, budget_minutes now, std::uint64_t generation);

    std::uint64_t take(std::uint64_t want, budget_minutes now) noexcept; // returns how much may be sent, at most `want`
    void overdraw(std::uint64_t) noexcept;                               // sent all the same: counted
    void give_back(std::uint64_t) noexcept;
    void downloaded(std::uint64_t n) noexcept
    {
        if (excess_) each_own([n](auto& a) { a->downloaded(n); });
    }
    void tunnel_opened() noexcept;
    bool spent(budget_minutes now) noexcept;
    // Which of the accounts has nothing left, and how much of it is used.
    struct lack {
        budget_key::scope of;
        bool of_identity = false; // shared by all pods of a service account
        upload_account::shortage what;
    };
    std::optional<lack> lacks(budget_minutes now); // nullopt: something may be sent

private:
    std::uint64_t take_from_heirs(std::uint64_t granted, budget_minutes now) noexcept;
    void give_back_before(const budget_book::handle& end, std::uint64_t) noexcept;
    void each_own(auto&& visit)
    {
        for (auto* a : {&accounts_[client], &accounts_[identity]})
            if (*a) visit(*a);
    }
    void each(auto&& visit)
    {
        for (auto& a : accounts_)
            if (a) visit(a);
        for (auto& h : heirs_) visit(h);
    }

    budget_book* book_ = nullptr;
    std::uint64_t generation_ = 0;
    enum place : std::size_t { client, identity, everybody };
    std::array<budget_book::handle, 3> accounts_;
    std::vector<budget_book::handle> heirs_; // until the tunnel is judged by the list that created them
    budget_key::scope mine_ = budget_key::scope::client_at_purpose;
    bool excess_ = false;
};

} // namespace exeat::net
