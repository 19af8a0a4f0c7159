// What exeat's own log says of reloads. Any thread.
#pragma once

#include <ops/policy/load_allowlist.hpp>
#include <ops/process/log.hpp>

#include <chrono>
#include <string_view>
#include <vector>

namespace exeat::ops {

inline constexpr std::chrono::seconds hold_time{30}; // of a list that is a part of what it was

void log_reloaded(const event_log&, const policy&, const std::string& cause, bool from_copy);
void log_unchanged(const event_log&, const std::string& cause, const policy_settings&);
void log_hold(const event_log&, const watched_file&);
// `before`: the list's file as it was; may be null.
void warn_of_serial(const event_log&, const loaded_allowlist&, const policy_settings& before, const watched_file* was);
// Those that were not told before.
void log_ignored(const event_log&, const std::vector<ignored_file>& now, const std::vector<ignored_file>& before);

} // namespace exeat::ops
