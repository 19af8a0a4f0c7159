// Networks and addresses in allowlist.toml: where a group sits, and where a private link leads. One thread.
#pragma once

#include <exeat/rule.hpp>
#include <ops/section.hpp>

#include <vector>

namespace exeat::ops {

// [groups.NAME] sources
std::vector<ip_prefix> read_sources(section&);
// [[private_link]] within, addresses
void read_link_networks(section&, rule& link);

} // namespace exeat::ops
