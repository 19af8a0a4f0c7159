// The upload accounts, with the names of clients and entries instead of keys. Reading only; any thread.
#pragma once

#include <exeat/budget/budget_book.hpp>
#include <ops/policy/policy_status.hpp>

#include <functional>
#include <optional>

namespace exeat::ops {

struct open_account {
    std::optional<ip_address> client; // none: all clients together
    std::string_view account;         // the entry's name, or that of the account that entries share
    const rule* entry = nullptr;      // in the enforced policy; null: all entries of the purpose without a budget of their own
    enum purpose purpose = purpose::pull;
    upload_account::view now;
};

// Skips accounts of entries that no longer exist.
void each_open_account(budget_book&, const policy_status::view&, const std::function<void(const open_account&)>&);

} // namespace exeat::ops
