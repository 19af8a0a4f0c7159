// Shared by `replay` and `suggest`: reads audit logs into requests, and reports what could not be read.
#pragma once

#include <CLI/CLI.hpp>
#include <ops/offline/audit_reader.hpp>
#include <ops/offline/logged_traffic.hpp>

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

namespace exeat::cli {

struct log_question {
    std::vector<std::string> files;
    std::string since; // "24h"; empty: the whole log

    void add_to(CLI::App&);
};

struct read_log {
    std::uint64_t requests = 0, still_open = 0;
    std::optional<wall_time> first, last;
    ops::audit_reader::counts lines;
    std::vector<std::string> gaps; // what was not read, or may be counted twice

    std::string span() const; // "2026-… to 2026-…"
};

// Empty when a file cannot be read or is not an audit log. The reason and the gaps are printed on stderr.
std::optional<read_log> read_logs(const log_question&, ops::request_taker&, wall_time now);

boost::json::object to_json(const read_log&);

} // namespace exeat::cli
