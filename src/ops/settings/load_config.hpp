// Reads exeat.toml into a validated config. All errors are reported at once. Called before the workers start; may block on the file.
#pragma once

#include <exeat/config.hpp>
#include <ops/text/problem.hpp>

#include <optional>
#include <string>
#include <vector>

namespace exeat::ops {

struct loaded_config {
    std::optional<config> value; // absent when any problem is an error
    std::vector<problem> problems;
    std::string sha256; // of the file's bytes; empty: it could not be read
};

// Relative paths in the file are relative to the file's own directory.
loaded_config load_config(const std::string& path);

} // namespace exeat::ops
