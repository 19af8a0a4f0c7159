// The messages about lists in exeat's own log. Any thread.
#pragma once

#include <ops/policy/load_allowlist.hpp>
#include <ops/process/log.hpp>

#include <chrono>
#include <string_view>
#include <vector>

namespace exeat::ops {

inline constexpr std::chrono::seconds hold_time{30}; // how long a truncated list is held back

void log_serving(const event_log&, const policy&);
void log_reloaded(const event_log&, const policy&, const std::string& cause, bool from_copy);
void log_unchanged(const event_log&, const std::string& cause, const policy_settings&);
void log_hold(const event_log&, const watched_file&);
// `was` is the list's file as it was read before; it may be null.
void warn_of_serial(const event_log&, const loaded_allowlist&, const policy_settings& before, const watched_file* was);
// Logs the files of `now` that are not in `before`.
void log_ignored(const event_log&, const std::vector<ignored_file>& now, const std::vector<ignored_file>& before);

} // namespace exeat::ops
