// One problem in a file that people write, with its place, printed in the style of a compiler. Value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace exeat::ops {

struct problem {
    enum class weight : std::uint8_t { warning, error };
    std::string file;
    std::uint32_t line = 0, column = 0; // from 1; 0: the whole file
    weight how = weight::error;
    std::string text; // what is wrong and, after a semicolon, how to fix it

    std::string to_string() const; // "allowlist.toml:12:9: error: …"
};

bool any_error(const std::vector<problem>&) noexcept;

} // namespace exeat::ops
