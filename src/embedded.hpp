// Files of conf/ that are compiled in (embed.py writes their definitions), so that the one binary is enough. Constant; any thread.
#pragma once

#include <string_view>

namespace exeat::embedded {

extern const std::string_view shared_suffixes;      // conf/shared-suffixes.txt
extern const std::string_view status_page;          // status/page.html with all that it needs
extern const std::string_view status_page_security; // its Content-Security-Policy

} // namespace exeat::embedded
