// Reads the upload budgets of an allowlist: "50 MiB/1h", or a list with one for each window. One thread.
#pragma once

#include <exeat/budget/budget.hpp>
#include <exeat/rule.hpp>
#include <ops/text/section.hpp>

#include <optional>

namespace exeat::ops {

// Absent when the key is absent. An invalid budget is an error in the diagnostics and sets no limit.
std::optional<upload_limits> read_upload(section&, toml_key);

// Reads 'upload', 'upload_total', 'account' and 'on_budget' of an entry, and checks what a push requires.
void read_entry_budgets(section&, rule&);

} // namespace exeat::ops
