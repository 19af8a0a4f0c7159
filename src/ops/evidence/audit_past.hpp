// How an audit log's chain goes on after a restart: from what the files hold, compared with what was anchored. Blocks.
#pragma once

#include <ops/evidence/audit_anchor.hpp>
#include <ops/evidence/audit_file.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace exeat::ops {

struct audit_past {
    std::string line;                  // the chain goes on after this one; empty: see `after`, or it begins
    std::optional<audit_anchor> after; // the line that was anchored, which no file here holds: the log was moved away meanwhile
    std::uint64_t next = 1;            // the number of the next line
    std::string fragment;              // what a crash left behind `line`
    std::string gap;                   // what was anchored and is not there, or not as it was: a sentence; empty: nothing is amiss
};

// `tail`: of the file; absent where it is new, empty or none. A log that is new goes on after the file that was rotated last, where that
// lies beside it.
audit_past look_back(const std::string& path, bool regular, const std::optional<audit_tail>& tail, const std::optional<audit_anchor>&);

} // namespace exeat::ops
