// A Smokescreen ACL as it is written, before conversion. Pure; any thread.
#pragma once

#include <exeat/names/name_index.hpp>
#include <ops/text/diagnostics.hpp>

#include <optional>
#include <string>
#include <vector>

namespace exeat::ops {

struct smokescreen_host {
    host_pattern pattern;
    place at;
};

struct smokescreen_role {
    std::string name, project, action; // action: open, report or enforce
    std::vector<smokescreen_host> hosts;
    place at;
    bool is_default = false; // for roles without a rule of their own
};

struct smokescreen_acl {
    std::vector<smokescreen_role> roles; // the default last
    std::vector<smokescreen_host> global_allow, global_deny;
    std::vector<ip_prefix> denied_networks; // of the global deny list
};

// What cannot be read or has no counterpart is an error in the diagnostics and left out. Returns nothing when the text is not such an ACL.
std::optional<smokescreen_acl> read_smokescreen_acl(const std::string& text, diagnostics&);

} // namespace exeat::ops
