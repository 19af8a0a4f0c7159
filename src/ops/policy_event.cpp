#include <ops/policy_event.hpp>

#include <ops/text/utc.hpp>

#include <fmt/format.h>

namespace exeat::ops {

std::string budgets_at_start(const state_directory& state, const upload_ledger& uploads)
{
    if (state.init)
        return fmt::format("the upload budgets begin whole: 'exeat state init' by {} at {}", state.init->by, utc(state.init->at));
    const auto half = uploads.half();
    return half.any() ? "half of every upload budget counts as spent: " + half.why : std::string{};
}

process_event policy_event(process_event::what action, const policy_settings& s, const policy_gate& gate)
{
    process_event e;
    e.action = action;
    e.sha256 = s.sha256;
    e.serial = s.serial;
    e.file = gate.allowlist();
    for (const auto& id : s.approved_by) e.by.push_back({id, gate.name_of_key(id)});
    return e;
}

} // namespace exeat::ops
