// Networks and addresses in our files: where a group sits, where a private link leads, who sends PROXY headers. One thread.
#pragma once

#include <exeat/rule.hpp>
#include <ops/section.hpp>

#include <vector>

namespace exeat::ops {

// [groups.NAME] sources
std::vector<ip_prefix> read_sources(section&);
// [[listen]] proxy_protocol_from; empty where the key is absent
std::vector<ip_prefix> read_proxy_senders(section&);
// [[private_link]] within, addresses
void read_link_networks(section&, rule& link);

} // namespace exeat::ops
