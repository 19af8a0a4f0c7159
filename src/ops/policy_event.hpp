// A line of the audit log about the list: which file, serial and hash, and who approved it; and about what a start begins with. Any
// thread.
#pragma once

#include <ops/approvals/policy_gate.hpp>
#include <ops/audit/audit_line.hpp>
#include <ops/state/upload_ledger.hpp>

namespace exeat::ops {

// What the upload budgets begin with, in words, where it is not simply what the last process left.
std::string budgets_at_start(const state_directory&, const upload_ledger&);
process_event policy_event(process_event::what, const policy_settings&, const policy_gate&);

} // namespace exeat::ops
