// Files of conf/ that are compiled in (embed.py writes their definitions), so that the one binary is enough. Constant; any thread.
#pragma once

#include <string_view>

namespace exeat::embedded {

extern const std::string_view shared_suffixes; // conf/shared-suffixes.txt

} // namespace exeat::embedded
