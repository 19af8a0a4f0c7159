// /api/tunnels: parses the query of the URL and writes the answer as JSON. Pure except for the clock.
#pragma once

#include <net/tunnel_list.hpp>
#include <ops/policy/label_registry.hpp>

#include <boost/system/result.hpp>
#include <string>
#include <string_view>

namespace exeat::ops {

struct tunnel_page {
    net::tunnel_question of; // requests all rows up to the end of this page
    std::size_t page = 1, size = 50;
};

// Parses "/api/tunnels?sort=upload&client=10.42.0.7&entry=NAME&page=1&size=50"; every parameter is optional. The error is one line.
boost::system::result<tunnel_page, std::string> parse_tunnel_page(std::string_view target, const label_registry&);

// `complete`: every worker has answered.
std::string tunnel_report(const tunnel_page&, net::tunnel_list, bool complete, const label_registry&);

} // namespace exeat::ops
