// A hosts_file: host patterns one a line, '#' comments, blank lines, LF or CRLF; made for a million names. Read block by block, so that
// its text never lies in memory whole. Blocks; never on a worker.
#pragma once

#include <exeat/names/name_index.hpp>
#include <ops/files/content_trace.hpp>
#include <ops/text/diagnostics.hpp>
#include <ops/text/digest.hpp>

#include <functional>
#include <string>

namespace exeat::ops {

// Takes a host, or objects in words.
using host_taker = std::function<std::string(const host_pattern&)>;

struct hosts_file_options {
    std::function<void(const ip_prefix&)> take_network{}; // empty where the entry takes none
    bool require_end = false;                             // the last line must be "# end" (end_mark.hpp)
    content_trace* said = nullptr;                        // takes what the file says, too
    // Where the file must be approved: its SHA-256, which is checked before a line is read; and where those bytes are, if elsewhere.
    std::string sha256{}, read_from{};
    bool* unapproved = nullptr; // set where it is not there or has other bytes
};

// Reads it all, even after errors (up to limits::hosts_file_problems), and returns the digest of its bytes; zeros when it could not be
// read.
sha256_digest::value read_hosts_file(const std::string& path, const host_taker& take, diagnostics& wrong,
                                     const hosts_file_options& with = {});

} // namespace exeat::ops
