// Whether an audit log is whole: every line JSON, numbered without a gap, chained by hash, over any number of files. Streams them, gzipped
// or not; any thread.
#pragma once

#include <ops/evidence/audit_chain.hpp>
#include <ops/offline/audit_witness.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
    bool readable_on = false;          // the problem is one that the log itself names: what comes after it was verified all the same
    std::vector<std::string> notes;    // what is no break and yet worth knowing, bounded
    std::optional<audit_place> end;

    bool whole() const noexcept { return problem.empty(); }
};

// Takes files in their order, the oldest first, and keeps what the next line must agree with.
class audit_verifier {
public:
    explicit audit_verifier(audit_witness* seen_by = nullptr) : witness_{seen_by} {}
    audit_verifier(audit_witness* seen_by, const audit_place& before);

    // The next file; "-" is the standard input. False: what comes after it cannot be verified.
    bool read(const std::string& path);
    // By file. A file's last line may lack its end until the next file owns up to it.
    const std::vector<audit_findings>& files() const noexcept { return files_; }
    std::uint64_t first() const noexcept { return first_; }
    std::uint64_t last() const noexcept { return sequence_; } // 0: there was no line

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
    std::uint64_t at_ = 0; // the line in this file
    std::uint64_t first_ = 0, sequence_ = 0;
    bool anchored_ = false; // there is a line before
    std::string previous_;
    audit_place checkpoint_;      // the last one
    std::string rest_;            // without its end so far
    std::string fragment_;        // what was no line, since the last line that was one
    bool torn_ = false;           // there is a fragment
    std::uint64_t torn_line_ = 0; // where it begins
    bool from_before_ = false;    // and it stands in the file before
};

// One file by itself, or after `before`. The last line of all is covered by no hash yet.
audit_findings verify_audit(const std::string& path, const std::optional<audit_place>& before = std::nullopt);

} // namespace exeat::ops
