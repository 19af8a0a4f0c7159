// What 'exeat state init' writes into an empty state directory: the operator's declaration that nothing was sent before, so that the next
// start counts no budget as half spent. Sealed like all state, and removed by the next start whether it counts or not. Blocks.
#pragma once

#include <exeat/rule.hpp>
#include <ops/process/log.hpp>
#include <ops/state/state_directory.hpp>

#include <optional>
#include <string>

namespace exeat::ops {

// Throws std::runtime_error, with a message for people, when there is state already or the directory cannot be written.
void write_init_mark(const state_directory&, const init_mark&);
// Removes the mark and returns its content if it counts: the seal is right and there is no state yet. If it does not count, the log says
// why.
std::optional<init_mark> use_up_init_mark(const state_directory&, const event_log&);
// open_state() for a process that serves, with the init mark, which is removed. Throws as open_state() does.
state_directory begin_state(const config&, const event_log&);

} // namespace exeat::ops
