// The audit log's events about the allowlist (file, serial, hash and approvers), and the text about the upload budgets at a start. Any
// thread.
#pragma once

#include <ops/approvals/policy_gate.hpp>
#include <ops/audit/audit_line.hpp>
#include <ops/state/upload_ledger.hpp>

namespace exeat::ops {

// Describes what the upload budgets start with; empty when they simply continue from the last process.
std::string budgets_at_start(const state_directory&, const upload_ledger&);
process_event policy_event(process_event::what, const policy_settings&, const policy_gate&);

} // namespace exeat::ops
