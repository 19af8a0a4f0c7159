#include <ops/metrics/open_accounts.hpp>

#include <exeat/budget/accounts.hpp>
#include <net/upload/upload_permit.hpp> // budget_now

#include <unordered_map>

namespace exeat::ops {

void each_open_account(budget_book& book, const policy_status::view& status, const std::function<void(const open_account&)>& visit)
{
    using scope = budget_key::scope;
    std::unordered_map<std::uint64_t, const rule*> entries;
    if (status.rules)
        for (const auto& r : status.rules->rules()) entries.emplace(shared_account(r).what, &r);
    book.each([&, now = net::budget_now()](const budget_key& key, upload_account& account) {
        open_account out;
        if (key.of != scope::entry) out.client = key.client;
        if (key.of == scope::client_at_purpose) out.purpose = static_cast<purpose>(key.what);
        else {
            const auto known = entries.find(key.what);
            if (known == entries.end()) return;
            out.entry = known->second;
            out.account = known->second->account.empty() ? known->second->name : known->second->account;
            out.purpose = known->second->purpose;
        }
        out.now = account.look(now);
        visit(out);
    });
}

} // namespace exeat::ops
