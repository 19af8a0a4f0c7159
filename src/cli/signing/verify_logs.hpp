// `exeat verify --audit`: whether an audit log is whole, up to which line it is proven, and by what.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace exeat::cli {

struct wanted_proof {
    std::vector<std::string> files, keys, anchors; // anchors: "SEQUENCE:HASH", as Prometheus has them
    std::string state;
};

CLI::Option* add_log_options(CLI::App&, wanted_proof&); // --audit
int verify_logs(const wanted_proof&);                   // the exit code

} // namespace exeat::cli
