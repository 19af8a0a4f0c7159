// Where an audit log's chain continues after a restart: compares the content of the files with the anchor. Blocks.
#pragma once

#include <ops/evidence/audit_anchor.hpp>
#include <ops/evidence/audit_file.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace exeat::ops {

struct audit_past {
    std::string line;                  // the chain continues after this line; empty: see `after`, or the chain is new
    std::optional<audit_anchor> after; // the anchored line, when no file here has it: the log was moved away meanwhile
    std::uint64_t next = 1;            // the number of the next line
    std::string fragment;              // what a crash left after `line`
    std::string gap;                   // a sentence about anchored lines that are missing or changed; empty: there are none
};

// `tail` is the end of the file; absent when the file is new, empty or not a regular file. A new log continues after the file that was
// rotated last, if that file is beside it.
audit_past look_back(const std::string& path, bool regular, const std::optional<audit_tail>& tail, const std::optional<audit_anchor>&);

} // namespace exeat::ops
