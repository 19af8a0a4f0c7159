// The passphrase of a private key, read from a file: never from the command line, which other users can read, and not from a terminal.
#pragma once

#include <string>

namespace exeat::cli {

// The file's first line; empty when `path` is empty. Throws std::runtime_error.
std::string read_passphrase(const std::string& path);

} // namespace exeat::cli
