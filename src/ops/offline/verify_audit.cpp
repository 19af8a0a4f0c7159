#include <ops/offline/verify_audit.hpp>

#include <exeat/limits.hpp>
#include <ops/evidence/log_text.hpp>

#include <fmt/format.h>
#include <utility>

namespace exeat::ops {

namespace {

constexpr std::size_t notes = 16;

// The name that a file had before exeat rotated it by its size: "audit.jsonl" for "audit.jsonl.000000004711.gz"; empty when it was not.
std::string_view before_rotation(std::string_view path) noexcept
{
    constexpr std::size_t digits = 12;
    if (path.ends_with(".gz")) path.remove_suffix(3);
    const auto dot = path.rfind('.');
    const auto number = dot == path.npos ? std::string_view{} : path.substr(dot + 1);
    return number.size() >= digits && number.find_first_not_of("0123456789") == number.npos ? path.substr(0, dot) : std::string_view{};
}

} // namespace

audit_verifier::audit_verifier(audit_witness* seen_by, const audit_place& before)
    : witness_{seen_by}, sequence_{before.sequence}, anchored_{true}, previous_{before.sha256}
{}

bool audit_verifier::read(const std::string& path)
{
    files_.emplace_back();
    path_before_ = std::exchange(path_, path);
    at_ = 0;
    join_files();
    const auto problem = read_log_text(path, [this](std::string_view piece) { return take(piece); });
    auto& found = files_.back();
    if (!found.problem.empty() && !found.readable_on) return false;
    if (!problem.empty()) {
        found.problem = problem;
        found.readable_on = false;
        return false;
    }
    finish();
    return true;
}

// The unfinished end of the previous file may be a complete line without its newline, or a fragment that the first line of this file
// reports.
void audit_verifier::join_files()
{
    if (files_.size() < 2) return;
    if (!rest_.empty()) {
        const auto text = std::exchange(rest_, {});
        const auto link = read_link(text);
        auto& before = files_[files_.size() - 2];
        const bool follows = link && !torn_ && anchored_ && link->sequence == sequence_ + 1 && link->previous == previous_;
        if (follows) {
            before.problem.clear();
            before.broken_line = 0;
            accept(text, *link, before);
            return;
        }
        hold_fragment(text);
    }
    from_before_ = torn_;
}

// Returns false when the log is broken and reading can stop.
bool audit_verifier::take(std::string_view piece)
{
    for (auto newline = piece.find('\n'); newline != piece.npos; newline = piece.find('\n')) {
        const auto text = piece.substr(0, newline);
        piece.remove_prefix(newline + 1);
        const bool good = rest_.empty() ? line(text) : line(rest_.append(text));
        rest_.clear();
        if (!good) return false;
    }
    rest_.append(piece);
    return rest_.size() <= limits::audit_fragment_bytes || broken(at_ + 1, "is longer than any line of an audit log");
}

bool audit_verifier::line(std::string_view text)
{
    ++at_;
    const auto link = text.size() <= limits::audit_line_bytes ? read_link(text) : std::nullopt;
    return link ? judge(text, *link) : hold_fragment(text);
}

bool audit_verifier::judge(std::string_view text, const audit_link& link)
{
    const bool resumed = resumes(link), torn = torn_;
    if (torn_ && resumed) end_of_fragment("of which the next file knows nothing");
    else if (torn_ && !owns_fragment(link)) return broken_before("is not a line of an audit log");
    else if (torn_) end_of_fragment("and the next line says so");
    else if (link.torn_octets > 0 && anchored_)
        return broken(at_, fmt::format("says that a crash left {} octets before it, which are not there", link.torn_octets));
    if (resumed && link.sequence <= sequence_)
        note(fmt::format(
            "goes on after line {}, the last checkpoint of the file before; lines {} to {} of that were not known when this one began",
            checkpoint_.sequence, checkpoint_.sequence + 1, sequence_));
    else if (anchored_ && link.sequence != sequence_ + 1 && !(link.action == "gap" && link.sequence == link.anchored + 1))
        return out_of_order(link);
    const bool by_fragment = torn && link.torn_sha256.empty(); // in logs from before checkpoints
    if (anchored_ && !resumed && !by_fragment && link.previous != previous_) {
        files_.back().last = --sequence_; // the previous line may be the changed one
        return broken(at_, "does not carry the hash of the line before: one of the two was changed");
    }
    return accept(text, link, files_.back());
}

// A log that was moved away while no exeat ran continues after the last checkpoint.
bool audit_verifier::resumes(const audit_link& link) const noexcept
{
    return link.action == "resumed" && at_ == 1 && files_.size() > 1 && checkpoint_.sequence > 0 &&
           link.sequence == checkpoint_.sequence + 1 && link.previous == checkpoint_.sha256;
}

void audit_verifier::end_of_fragment(std::string how)
{
    if (from_before_) {
        auto& before = files_[files_.size() - 2];
        before.problem.clear();
        before.broken_line = 0;
        before.notes.push_back(fmt::format("the last line is a fragment that a crash left, {}", how));
    } else note(fmt::format("line {} is a fragment that a crash left, {}", torn_line_, how));
    torn_ = from_before_ = false;
    fragment_.clear();
}

bool audit_verifier::out_of_order(const audit_link& link)
{
    const bool later = link.sequence > sequence_ + 1, first_of_file = at_ == 1 && files_.size() > 1;
    if (first_of_file && link.sequence == 1 && link.previous == no_line_before)
        return broken(
            at_,
            fmt::format(
                "begins a chain of its own, with number 1, and {} ends with number {}: exeat was started without 'state' "
                "and without that file beside the log, and nothing proves what lay between; or the files are not given the oldest first",
                path_before_, sequence_));
    if (first_of_file && later) {
        const auto base = before_rotation(path_before_);
        const auto name = base.empty() ? std::string{} : fmt::format(", {}.{:012}", base, link.sequence - 1);
        return broken(at_,
                      fmt::format("has number {}, and {} ends with number {}: the file with lines {} to {} is missing between the two{}",
                                  link.sequence, path_before_, sequence_, sequence_ + 1, link.sequence - 1, name));
    }
    return broken(at_, fmt::format("has number {} where {} was due: lines were {}", link.sequence, sequence_ + 1,
                                   later ? "removed" : "repeated, moved or put in"));
}

bool audit_verifier::accept(std::string_view text, const audit_link& link, audit_findings& found)
{
    if (found.lines++ == 0) found.first = link.sequence;
    if (first_ == 0) first_ = link.sequence;
    found.last = sequence_ = link.sequence;
    previous_ = hash(text);
    anchored_ = true;
    if (link.action == "checkpoint") checkpoint_ = {sequence_, previous_};
    const auto objection = witness_ != nullptr ? witness_->see(text, link, previous_) : std::string{};
    if (!objection.empty()) return broken(at_, objection);
    if (link.action != "gap") return true;
    if (link.anchored == 0) {
        note(fmt::format("line {} says that the anchor in state could not be read when exeat was started", at_));
        return true;
    }
    if (!found.problem.empty()) return true;
    broken(at_,
           fmt::format("says that the log was not as its checkpoint at number {} had left it when exeat was started: lines before this one "
                       "were removed or changed",
                       link.anchored));
    found.readable_on = true;
    return true;
}

// A crash may leave part of a line; the first line of the next start reports its length and hash.
bool audit_verifier::hold_fragment(std::string_view text)
{
    if (text.empty() && !torn_) return broken(at_, "is empty");
    if (torn_) fragment_ += '\n';
    else torn_line_ = at_;
    fragment_.append(text);
    torn_ = true;
    return fragment_.size() <= limits::audit_fragment_bytes || broken_before("is not a line of an audit log");
}

bool audit_verifier::owns_fragment(const audit_link& link)
{
    if (link.torn_octets != fragment_.size()) return false;
    return link.torn_sha256.empty() ? link.previous == hash(fragment_) : link.torn_sha256 == hash(fragment_);
}

void audit_verifier::finish()
{
    auto& found = files_.back();
    if (found.lines > 0) found.end = audit_place{sequence_, previous_};
    if (!found.problem.empty()) return;
    if (!rest_.empty()) broken(at_ + 1, "has no end: it was cut");
    else if (torn_ && !from_before_) broken(torn_line_, "is not a line of an audit log");
    if (!found.problem.empty()) found.end.reset();
}

bool audit_verifier::broken(std::uint64_t line, std::string why)
{
    auto& found = files_.back();
    found.broken_line = line;
    found.problem = fmt::format("line {} {}", line, why);
    found.readable_on = false;
    return false;
}

// Reports the fragment as a problem. If it is at the end of the previous file, which has a problem already, line 1 of this file has one,
// too.
bool audit_verifier::broken_before(std::string why)
{
    if (!from_before_) return broken(torn_line_, std::move(why));
    return broken(1, fmt::format("does not say that {} ends with a fragment, as the line after a crash does", path_before_));
}

void audit_verifier::note(std::string text)
{
    if (files_.back().notes.size() < notes) files_.back().notes.push_back(std::move(text));
}

std::string audit_verifier::hash(std::string_view text)
{
    const auto hex = sha256_.of(text);
    return {hex.data(), hex.size()};
}

audit_findings verify_audit(const std::string& path, const std::optional<audit_place>& before)
{
    auto verifier = before ? audit_verifier{nullptr, *before} : audit_verifier{};
    verifier.read(path);
    return verifier.files().front();
}

} // namespace exeat::ops
