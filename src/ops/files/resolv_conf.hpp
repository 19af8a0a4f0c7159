// The DNS servers that resolv.conf(5) names. Blocks; never on a worker.
#pragma once

#include <exeat/endpoint.hpp>
#include <ops/text/problem.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

inline constexpr const char* resolv_conf = "/etc/resolv.conf";

struct named_servers {
    std::vector<endpoint> servers; // each once, at most limits::dns_servers
    std::vector<problem> problems; // warnings: servers that cannot be asked, or no server at all
};
named_servers read_resolv_conf(const std::string& path = resolv_conf);

} // namespace exeat::ops
