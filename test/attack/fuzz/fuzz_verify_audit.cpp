// Verification of an audit log. The input is a log by itself; and it says which change is made to a log that exeat wrote. A log that is
// called whole is not called so once an octet before its last line is another.
#include "memory_file.hpp"

#include <exeat/limits.hpp>
#include <ops/audit/audit_line.hpp>
#include <ops/offline/verify_audit.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

ops::audit_findings verify(std::string_view log) { return ops::verify_audit(memory_file{log}.path()); }

std::size_t last_line(std::string_view log) { return log.substr(0, log.size() - 1).rfind('\n') + 1; }

void check_changes(const std::string& log, draws& draw)
{
    const auto covered = last_line(log);
    for (int i = 0; i < 3 && covered > 0; ++i) {
        auto bad = log;
        auto& octet = bad[draw.below(covered)];
        octet = static_cast<char>(octet ^ (1 + draw.below(255)));
        must(!verify(bad).whole(), "a changed octet is found");
    }
    must(!verify(std::string_view{log}.substr(0, log.size() - 1)).whole(), "a cut last line is found");
}

void check_findings(const std::string& log, const ops::audit_findings& found)
{
    must(found.whole() == (found.broken_line == 0), "a broken log is broken in a line");
    must(found.broken_line <= static_cast<std::size_t>(std::count(log.begin(), log.end(), '\n')) + 1, "and the line is one of its own");
    if (!found.whole() || found.lines == 0) return;
    must(found.end && found.end->sequence == found.last && found.last == found.first + found.lines - 1, "a whole log is numbered");
    draws draw{log};
    check_changes(log, draw);
}

struct book {
    ops::label_registry labels;
    ops::policy_status status;
    ops::audit_line line{labels, status};
    ops::audit_chain chain;

    std::string next(std::string_view host)
    {
        net::audit_record r;
        r.host = net::bounded_text{host};
        std::string out;
        line.append(out, r, chain);
        return out;
    }
};

// Lines about what a client sent, whatever that is; then one of them is taken out, put in twice, or changes places.
void check_written(std::string_view in)
{
    book b;
    std::vector<std::string> lines;
    draws draw{in};
    const auto each = 1 + in.size() / 5;
    for (std::size_t at = 0; at < in.size(); at += each) lines.push_back(b.next(in.substr(at, each)));
    const auto joined = [&lines] {
        std::string all;
        for (const auto& l : lines) all += l;
        return all;
    };
    const auto log = joined();
    const auto found = verify(log);
    must(found.whole() && found.lines == lines.size(), "a log is whole as exeat wrote it, whatever clients sent");
    for (const auto& l : lines)
        must(l.size() <= limits::audit_line_bytes && l.find('\n') == l.size() - 1, "an event is one line, of a bound");
    if (lines.size() < 3) return;
    check_changes(log, draw);
    const auto middle = lines.begin() + 1 + static_cast<std::ptrdiff_t>(draw.below(lines.size() - 2));
    switch (draw.below(3)) {
    case 0: lines.erase(middle); break;
    case 1: lines.insert(middle, *middle); break;
    default: std::swap(*middle, *(middle - 1)); break;
    }
    must(!verify(joined()).whole(), "a line that is removed, repeated or moved is found");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string in{text(data, size)};
    check_findings(in, verify(in));
    check_written(in.substr(0, 512));
    return 0;
}
