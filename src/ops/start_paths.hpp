// What a start needs of the audit log's path and of the state directory, tried without any side effect. Main thread.
#pragma once

#include <exeat/config.hpp>

#include <string>

namespace exeat::ops {

// Why they cannot be used by this user; empty when they can.
std::string objection_to_audit(const config&);
std::string objection_to_state(const config&);

// The process that has locked the audit log, as far as it is visible; 0: none.
int writer_of_audit(const config&);

} // namespace exeat::ops
