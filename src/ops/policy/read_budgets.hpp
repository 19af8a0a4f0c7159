// Upload budgets as an allowlist writes them: "50 MiB/1h", or a list with one for each window. One thread.
#pragma once

#include <exeat/budget/budget.hpp>
#include <exeat/rule.hpp>
#include <ops/text/section.hpp>

#include <optional>

namespace exeat::ops {

// Absent where the key is absent or wrong.
std::optional<upload_limits> read_upload(section&, toml_key);

// 'upload', 'upload_total' and 'on_budget' of an entry; what a push must have.
void read_entry_budgets(section&, rule&);

} // namespace exeat::ops
