// Verifies that an audit log is complete: every line JSON, numbered without a gap, chained by hash, over any number of files. Streams the
// files, gzipped or not; any thread.
#pragma once

#include <ops/evidence/audit_chain.hpp>
#include <ops/offline/audit_witness.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// Where one file ends, to verify the file after it.
struct audit_place {
    std::uint64_t sequence = 0; // of the last line
    std::string sha256;         // of the last line
};

struct audit_findings {
    std::uint64_t lines = 0;           // that were verified
    std::uint64_t first = 0, last = 0; // their sequence numbers
    std::uint64_t broken_line = 0;     // from 1; 0: none
    std::string problem;               // of the file (broken_line 0) or of that line; empty: none
    bool readable_on = false;          // the log itself reports the problem (a gap); the lines after it were verified
    std::vector<std::string> notes;    // remarks that are not problems; bounded
    std::optional<audit_place> end;

    bool whole() const noexcept { return problem.empty(); }
};

// Verifies files in their order, the oldest first, and keeps what the next line must match.
class audit_verifier {
public:
    explicit audit_verifier(audit_witness* seen_by = nullptr) : witness_{seen_by} {}
    audit_verifier(audit_witness* seen_by, const audit_place& before);

    // Verifies the next file; "-" is the standard input. Returns false when what comes after it cannot be verified.
    bool read(const std::string& path);
    // By file. The problem of an unfinished last line is removed when the next file accounts for it.
    const std::vector<audit_findings>& files() const noexcept { return files_; }
    std::uint64_t first() const noexcept { return first_; }
    std::uint64_t last() const noexcept { return sequence_; } // 0: no line yet

private:
    bool take(std::string_view piece);
    bool line(std::string_view);
    bool judge(std::string_view, const audit_link&);
    bool out_of_order(const audit_link&);
    bool accept(std::string_view, const audit_link&, audit_findings&);
    bool resumes(const audit_link&) const noexcept;
    void end_of_fragment(std::string how);
    bool hold_fragment(std::string_view);
    bool owns_fragment(const audit_link&);
    void join_files();
    void finish();
    bool broken(std::uint64_t line, std::string why);
    bool broken_before(std::string why);
    void note(std::string);
    std::string hash(std::string_view);

    audit_witness* const witness_;
    std::vector<audit_findings> files_;
    std::string path_, path_before_;
    sha256 sha256_;
    std::uint64_t at_ = 0; // line number in this file
    std::uint64_t first_ = 0, sequence_ = 0;
    bool anchored_ = false; // there is a previous line
    std::string previous_;
    audit_place checkpoint_;      // the last one
    std::string rest_;            // a line without its end so far
    std::string fragment_;        // text that is not a line, since the last line
    bool torn_ = false;           // there is a fragment
    std::uint64_t torn_line_ = 0; // line number where it begins
    bool from_before_ = false;    // it is at the end of the previous file
};

// Verifies one file by itself, or as the continuation of `before`. No hash covers the last line yet.
audit_findings verify_audit(const std::string& path, const std::optional<audit_place>& before = std::nullopt);

} // namespace exeat::ops
