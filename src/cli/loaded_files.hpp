// What `check` and `explain` do alike: exeat.toml and the allowlist it names, or an allowlist alone, loaded and complained about.
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
    site_networks site;                      // as exeat.toml says
    std::optional<client_rate_limits> rates; // the same; none without one
    std::string allowlist;                   // its path; empty when it is not known
    std::optional<config> settings;          // exeat.toml, where it has no error
};

// Either path may be empty, not both; a given allowlist goes before the one that the config names. The one that the config names is held to
// its approvals, as `serve` holds it; a given one is a draft.
loaded_files load_files(const std::string& config_path, const std::string& allowlist_path, ops::scrutiny = ops::scrutiny::load);

boost::json::array to_json(const std::vector<ops::problem>&);
// The number of problems of one weight.
std::size_t count(const std::vector<ops::problem>&, ops::problem::weight);

} // namespace exeat::cli
