// Amounts as text for people. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace exeat::ops {

// Octets: "512 B", "12.5 KiB", "3.0 GiB".
std::string volume_text(std::uint64_t octets);

// "1 entry", "2 entries".
std::string counted(std::uint64_t n, std::string_view one, std::string_view more);

} // namespace exeat::ops
