// How many bytes may be uploaded in a period. Value.
#pragma once

#include <chrono>
#include <cstdint>

namespace exeat {

struct upload_rate {
    std::uint64_t bytes = 1024 * 1024;
    std::chrono::milliseconds per{60'000};
    bool operator==(const upload_rate&) const = default;
};
bool slower(const upload_rate&, const upload_rate& than) noexcept;

} // namespace exeat
