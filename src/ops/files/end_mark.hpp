// The optional last line that marks a list as complete: a truncated copy lacks it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace exeat::ops {

// In TOML the line is end = true, whichever table the lines above it belong to. Blank lines and comments may follow.
struct marked_text {
    std::string_view text;      // everything before that line, or the whole text if there is none
    bool whole = false;         // it ends with end = true
    std::uint32_t wrong_at = 0; // the line of an 'end' that is not true; 0: none
};
marked_text without_end_mark(std::string_view list) noexcept;

// In a hosts file it is the comment "# end".
bool is_hosts_end(std::string_view line) noexcept;

} // namespace exeat::ops
