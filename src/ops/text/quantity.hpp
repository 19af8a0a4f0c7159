// Quantities as people write them in configuration files: "250ms" "10s" "5m" "1h" "7d", "64 KiB" "50 MiB" "10 GiB", "50 MiB/1h". Pure; any
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

struct upload_budget {
    std::uint64_t bytes = 0;
    std::chrono::milliseconds per{0};
};

std::optional<std::chrono::milliseconds> parse_duration(std::string_view) noexcept;
std::optional<std::uint64_t> parse_size(std::string_view) noexcept;
std::optional<upload_budget> parse_budget(std::string_view) noexcept;
// A suggestion for a size or a budget that is not valid, as it should be written: "50 MB" → "50 MiB". Empty when none is possible.
std::string meant_size(std::string_view);
std::string meant_budget(std::string_view);
// In the written form: "90s", "5m".
std::string to_text(std::chrono::milliseconds);
// The same for a size, in the largest unit of which it is a whole number: "20 MiB".
std::string exact_size(std::uint64_t bytes);

} // namespace exeat::ops
