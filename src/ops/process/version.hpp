// What this binary is: the one file that a new commit compiles anew. Constants; any thread.
#pragma once

#include <string_view>

namespace exeat::ops {

extern const std::string_view version, revision; // the revision is empty where it was not built from a checkout

} // namespace exeat::ops
