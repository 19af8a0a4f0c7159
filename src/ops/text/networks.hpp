// Networks and addresses in our files: where a group sits, where a private link leads, who sends PROXY headers. One thread.
#pragma once

#include <exeat/rule.hpp>
#include <ops/text/section.hpp>

#include <boost/system/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// Whether it is meant as a network, right or wrong: an address, and a '/' behind it.
bool written_as_network(std::string_view) noexcept;
// One network as a list has it; an error says what is wrong with it.
boost::system::result<ip_prefix, std::string> parse_network(std::string_view);
std::optional<ip_prefix> read_network(const located_text&, diagnostics&);
// [groups.NAME] sources
std::vector<ip_prefix> read_sources(section&);
// [[listen]] proxy_protocol_from; empty where the key is absent
std::vector<ip_prefix> read_proxy_senders(section&);
// [[private_link]] within, addresses
void read_link_networks(section&, rule& link);

// A client as metrics name it, without its group: "training/10.42.3.7" is 10.42.3.7. What is an address or a network stays.
std::string_view without_group(std::string_view client) noexcept;

} // namespace exeat::ops
