// The version of this binary; only its source is compiled again after a new commit. Constants; any thread.
#pragma once

#include <string_view>

namespace exeat::ops {

extern const std::string_view version, revision; // the revision is empty when it was not built from a checkout

} // namespace exeat::ops
