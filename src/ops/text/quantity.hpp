// Quantities as people write them in our files: "250ms" "10s" "5m" "1h" "7d", "64 KiB" "50 MiB" "10 GiB", "50 MiB/1h". Pure; any thread.
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
// As it would be written: "90s", "5m".
std::string to_text(std::chrono::milliseconds);

} // namespace exeat::ops
