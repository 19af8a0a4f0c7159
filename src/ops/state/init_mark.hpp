// What 'exeat state init' leaves in an empty state directory: the operator's word that nothing was sent before, so that the next start
// counts no budget as half spent. Sealed as all state is, and used up by one start, whatever that start finds. Blocks.
#pragma once

#include <exeat/rule.hpp>
#include <ops/process/log.hpp>
#include <ops/state/state_directory.hpp>

#include <optional>
#include <string>

namespace exeat::ops {

// Throws std::runtime_error, with words for people, where there is state already or the directory cannot be written.
void write_init_mark(const state_directory&, const init_mark&);
// Removes it; what it said, where it counts: the seal is right and there is no state yet. Without one that counts the log says why.
std::optional<init_mark> use_up_init_mark(const state_directory&, const event_log&);
// open_state(), for a process that serves: with what init said, used up. Throws as that does.
state_directory begin_state(const config&, const event_log&);

} // namespace exeat::ops
