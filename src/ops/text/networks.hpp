// Networks and addresses in configuration files: the sources of a group, the targets of a private link, the senders of PROXY headers. One
// thread.
#pragma once

#include <exeat/rule.hpp>
#include <ops/text/section.hpp>

#include <boost/system/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// Whether the text is meant as a network, valid or not: an address followed by a '/'.
bool written_as_network(std::string_view) noexcept;
// Parses one network of a list; the error says what is wrong with it.
boost::system::result<ip_prefix, std::string> parse_network(std::string_view);
std::optional<ip_prefix> read_network(const located_text&, diagnostics&);
// [groups.NAME] sources
std::vector<ip_prefix> read_sources(section&);
// [[listen]] proxy_protocol_from; empty where the key is absent
std::vector<ip_prefix> read_proxy_senders(section&);
// [[private_link]] within, addresses
void read_link_networks(section&, rule& link);

// A client as metrics name it, without its group: "training/10.42.3.7" becomes 10.42.3.7. An address or a network is unchanged.
std::string_view without_group(std::string_view client) noexcept;

} // namespace exeat::ops
