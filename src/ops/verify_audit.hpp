// Whether an audit log is whole: every line JSON, numbered without a gap, chained by hash. Streams the file; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace exeat::ops {

// Where one file ends, for the file that was opened after it.
struct audit_place {
    std::uint64_t sequence = 0; // of the last line
    std::string sha256;         // of the last line
};

struct audit_findings {
    std::uint64_t lines = 0;           // that were found good
    std::uint64_t first = 0, last = 0; // their sequence numbers
    std::uint64_t broken_line = 0;     // from 1; 0: none
    std::string problem;               // of the file (broken_line 0) or of that line; empty when all is well
    std::vector<std::string> notes;    // what is no break and yet worth knowing, bounded
    std::optional<audit_place> end;

    bool whole() const noexcept { return problem.empty(); }
};

// `before`: the end of the file before; without it, the first line is taken as it is. The last line of all is covered by no hash yet.
audit_findings verify_audit(const std::string& path, const std::optional<audit_place>& before = std::nullopt);

} // namespace exeat::ops
