// Shared by `check` and `explain`: loads exeat.toml and the allowlist that it names, or an allowlist alone, and collects the problems.
#pragma once

#include <exeat/address_class.hpp>
#include <ops/policy/load_allowlist.hpp>
#include <ops/settings/load_config.hpp>

#include <boost/json/array.hpp>
#include <optional>
#include <string>
#include <vector>

namespace exeat::cli {

struct loaded_files {
    ops::loaded_allowlist list; // without rules when any file has an error
    std::vector<ops::problem> problems;
    site_networks site;                      // from exeat.toml
    std::optional<client_rate_limits> rates; // from exeat.toml; empty without one
    std::string allowlist;                   // its path; empty when it is not known
    std::optional<config> settings;          // empty without a valid exeat.toml
};

// One of the paths may be empty, not both; a given allowlist takes precedence over the one that the config names. The config's allowlist is
// checked against its approvals, as `serve` checks it; a given one is a draft.
loaded_files load_files(const std::string& config_path, const std::string& allowlist_path, ops::scrutiny = ops::scrutiny::load);

boost::json::array to_json(const std::vector<ops::problem>&);
// The number of problems of one weight.
std::size_t count(const std::vector<ops::problem>&, ops::problem::weight);

} // namespace exeat::cli
