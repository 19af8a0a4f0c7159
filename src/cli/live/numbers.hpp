// Numbers as text for a display that changes. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace exeat::cli::live {

using rate = std::optional<double>; // per second; empty after only one look

// Also empty when the count has decreased, because then another process counts.
rate per_second(std::uint64_t now, std::optional<std::uint64_t> before, std::chrono::duration<double> between) noexcept;

std::string count_text(std::uint64_t);       // "12,345"
std::string number_text(double);             // "12,345" "20.5"
std::string volume_rate_text(rate);          // "1.5 MiB"; "-" when empty
std::string count_rate_text(rate);           // "0.5" "1,200"
std::string span_text(std::chrono::seconds); // "12s" "3m 20s" "2h 5m" "3d 4h"

} // namespace exeat::cli::live
