// Where a process keeps state for the next one, the key that seals it, and what the audit log shows of the last run. Value; any thread.
#pragma once

#include <exeat/config.hpp>
#include <exeat/rule.hpp>

#include <optional>
#include <string>
#include <utility>

namespace exeat::ops {

// An operator's declaration that nothing was sent before (init_mark.hpp).
struct init_mark {
    std::string by;
    wall_time at{};
};

struct state_directory {
    state_directory(std::string p = {}) : path{std::move(p)} {} // NOLINT: one may stand for the other
    std::string path;                                           // empty: nothing is kept
    std::string key;                      // empty: files are not sealed with a key, and anyone who can write them can change them
    std::optional<wall_time> last_logged; // when the last run last logged: the end of its audit log, or its anchor if that is later
    std::optional<init_mark> init;        // empty: this start used up no init mark
};

inline constexpr const char* state_key_credential = "exeat.state.key"; // systemd.exec(5), LoadCredential=

// The key from that credential; empty when there is none. Blocks. Throws as open_state() does.
std::string state_key();
// The state directory of the settings. Blocks. Throws std::runtime_error, with a message for people, when the key cannot be used.
state_directory open_state(const config&);

} // namespace exeat::ops
