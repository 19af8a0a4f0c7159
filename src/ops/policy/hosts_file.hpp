// A hosts_file: one host pattern per line, '#' comments, blank lines, LF or CRLF; made for a million names. Read block by block, so that
// its text is never in memory as a whole. Blocks; never on a worker.
#pragma once

#include <exeat/names/name_index.hpp>
#include <ops/files/content_trace.hpp>
#include <ops/text/diagnostics.hpp>
#include <ops/text/digest.hpp>

#include <functional>
#include <string>

namespace exeat::ops {

// Takes a host, or returns an objection to it; empty: none.
using host_taker = std::function<std::string(const host_pattern&)>;

struct hosts_file_options {
    std::function<void(const ip_prefix&)> take_network{}; // empty when the entry takes no networks
    bool require_end = false;                             // the last line must be "# end" (end_mark.hpp)
    content_trace* said = nullptr;                        // also gets the file's content
    // When the file must be approved: its SHA-256, which is checked before a line is read, and the path of those bytes if it differs.
    std::string sha256{}, read_from{};
    bool* unapproved = nullptr; // set to true when the file is missing or has other bytes
};

// Reads the whole file, even after errors (up to limits::hosts_file_problems), and returns the digest of its bytes; zeros when it could not
// be read.
sha256_digest::value read_hosts_file(const std::string& path, const host_taker& take, diagnostics& wrong,
                                     const hosts_file_options& with = {});

} // namespace exeat::ops
