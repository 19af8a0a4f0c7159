// Where a process keeps what the next one must know, the key by which that is sealed, and what can be known of the last run without it.
// Value; any thread.
#pragma once

#include <exeat/config.hpp>
#include <exeat/rule.hpp>

#include <optional>
#include <string>
#include <utility>

namespace exeat::ops {

// The word of an operator that nothing was sent before (init_mark.hpp).
struct init_mark {
    std::string by;
    wall_time at{};
};

struct state_directory {
    state_directory(std::string p = {}) : path{std::move(p)} {} // NOLINT: one may stand for the other
    std::string path;                                           // empty: nothing is kept
    std::string key;                                            // empty: a seal is a digest that anybody can make
    std::optional<wall_time> last_logged;                       // by the last run: its audit log's end, or its anchor where that is later
    std::optional<init_mark> init;                              // used up by this start
};

inline constexpr const char* state_key_credential = "exeat.state.key"; // systemd.exec(5), LoadCredential=

// The key of that credential; empty where there is none. Blocks. Throws as open_state() does.
std::string state_key();
// As the settings say. Blocks. Throws std::runtime_error, with words for people, for a key that cannot be used.
state_directory open_state(const config&);

} // namespace exeat::ops
