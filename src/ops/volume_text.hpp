// Octets for people: "512 B", "12.5 KiB", "3.0 GiB". Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace exeat::ops {

std::string volume_text(std::uint64_t octets);

} // namespace exeat::ops
