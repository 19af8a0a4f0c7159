// Files of conf/ and the status page, compiled in (embed.py and embed_presets.py write the definitions), so that the binary needs no other
// files. Constant; any thread.
#pragma once

#include <span>
#include <string_view>

namespace exeat::embedded {

struct preset {
    std::string_view name, text;
};

extern const std::span<const preset> presets;       // conf/presets/NAME.toml, ascending by name
extern const std::string_view shared_suffixes;      // conf/shared-suffixes.txt
extern const std::string_view status_page;          // status/page.html with all its resources
extern const std::string_view status_page_security; // its Content-Security-Policy

} // namespace exeat::embedded
