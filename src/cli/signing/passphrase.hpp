// The passphrase of a private key, from a file: never from the command line, which others can read, nor from a terminal.
#pragma once

#include <string>

namespace exeat::cli {

// The file's first line; empty without a path. Throws std::runtime_error.
std::string read_passphrase(const std::string& path);

} // namespace exeat::cli
