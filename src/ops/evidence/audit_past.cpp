#include <ops/evidence/audit_past.hpp>

#include <ops/evidence/audit_chain.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <vector>

namespace exeat::ops {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_looked_at = 64;

std::string hash_of(std::string_view line)
{
    const auto hash = sha256{}.of(line);
    return {hash.data(), hash.size()};
}

// "audit.jsonl.1", "audit.jsonl-20261127" and, where logrotate keeps the extension, "audit-20261127.jsonl".
bool named_after(const fs::path& log, const std::string& name)
{
    const auto whole = log.filename().string(), stem = log.stem().string(), extension = log.extension().string();
    if (name.ends_with(".gz") || name == whole) return false;
    if (name.starts_with(whole)) return name[whole.size()] == '.' || name[whole.size()] == '-';
    return !extension.empty() && name.starts_with(stem + "-") && name.ends_with(extension);
}

// The files beside the log that were rotated from it, judging by their names; the newest first.
std::vector<std::string> rotated(const std::string& path)
{
    const fs::path log{path};
    std::vector<std::pair<fs::file_time_type, std::string>> found;
    std::error_code failed;
    for (fs::directory_iterator at{log.has_parent_path() ? log.parent_path() : fs::path{"."}, failed}, end; !failed && at != end;
         at.increment(failed)) {
        std::error_code none;
        if (!named_after(log, at->path().filename().string()) || !at->is_regular_file(none)) continue;
        const auto when = at->last_write_time(none);
        if (!none) found.emplace_back(when, at->path().string());
    }
    std::sort(found.rbegin(), found.rend());
    found.resize(std::min(found.size(), files_looked_at));
    std::vector<std::string> out;
    for (auto& [when, name] : found) out.push_back(std::move(name));
    return out;
}

// The end of the newest rotated file that is an audit log.
std::optional<audit_tail> tail_before(const std::string& path)
{
    for (const auto& file : rotated(path)) {
        auto tail = read_audit_tail(file);
        if (tail && tail->last > 0) return std::move(*tail);
    }
    return std::nullopt;
}

// Follows the chain from the anchored line to its end, through all files that exist, because the presence of one line proves nothing about
// the lines around it.
class chain_walk {
public:
    chain_walk(std::vector<std::string> files, const audit_anchor& a) : files_{std::move(files)}, sequence_{a.sequence}, hash_{a.sha256} {}

    // False: no file has the anchored line unchanged, and no file begins with the line after it.
    bool run()
    {
        bool begun = false;
        for (auto at = files_.begin(); at != files_.end() && !begun; ++at) {
            const auto found = find_audit_line(*at, sequence_);
            if (found.text.empty() || hash_of(found.text) != hash_) continue;
            line_ = found.text;
            begun = true;
            visit(at, found.end);
            break;
        }
        for (auto at = next(); broken_.empty() && at != files_.end(); at = next()) begun = true, visit(at, 0);
        return begun;
    }
    const std::string& broken() const noexcept { return broken_; } // a sentence; empty: all visited lines follow each other
    const std::string& last_file() const noexcept { return last_file_; }
    std::uint64_t sequence() const noexcept { return sequence_; }
    const std::string& line() const noexcept { return line_; } // the last line; empty: none was read
    const std::string& fragment() const noexcept { return fragment_; }

private:
    using file = std::vector<std::string>::iterator;

    file next()
    {
        return std::find_if(files_.begin(), files_.end(), [this](const std::string& path) {
            std::string first;
            read_audit_lines(path, 0, [&first](std::string_view line) { return first = line, false; });
            const auto link = read_link(first);
            return link && follows(*link);
        });
    }
    bool follows(const audit_link& link) const
    {
        const bool by_fragment = link.torn_octets > 0 && link.torn_sha256.empty() && link.previous == hash_of(fragment_); // older logs
        return (link.sequence == sequence_ + 1 || (link.action == "gap" && link.sequence > sequence_)) &&
               (link.previous == hash_ || by_fragment);
    }
    void visit(file at, std::uint64_t from)
    {
        last_file_ = *at;
        const bool read = read_audit_lines(*at, from, [this](std::string_view line) { return take(line); });
        if (!read) broken_ = last_file_ + " cannot be read to its end";
        files_.erase(at);
    }
    bool take(std::string_view line)
    {
        const auto link = read_link(line);
        if (!link) return fragment_ += line, true;
        if (!follows(*link))
            return broken_ = fmt::format("line {} of {} does not follow line {}: lines were removed or changed", link->sequence, last_file_,
                                         sequence_),
                   false;
        sequence_ = link->sequence;
        hash_ = hash_of(line);
        line_ = line;
        fragment_.clear();
        return true;
    }

    std::vector<std::string> files_;
    std::uint64_t sequence_;
    std::string hash_, line_, fragment_, last_file_, broken_;
};

// What is wrong when no file has the anchored line; `last` is the number of the last line.
std::string not_found(const std::string& path, std::uint64_t last, const audit_anchor& a)
{
    if (!find_audit_line(path, a.sequence).text.empty())
        return fmt::format("line {} of the log is not the one that was there at the last checkpoint: it was changed", a.sequence);
    if (last < a.sequence)
        return fmt::format("the log ends with line {} and had line {} at the last checkpoint: lines {} to {} are missing", last, a.sequence,
                           last + 1, a.sequence);
    return fmt::format("line {} of the last checkpoint is not in the log, nor in a file beside it", a.sequence);
}

void go_on_after(audit_tail tail, audit_past& to)
{
    if (tail.last > 0) to.line = std::move(tail.last_whole);
    to.next = tail.last + 1;
    to.fragment = std::move(tail.fragment);
}

} // namespace

audit_past look_back(const std::string& path, bool regular, const std::optional<audit_tail>& tail,
                     const std::optional<audit_anchor>& anchor)
{
    audit_past out;
    if (tail) go_on_after(*tail, out);
    if (!anchor) {
        auto before = !tail && regular ? tail_before(path) : std::nullopt;
        if (before) go_on_after(std::move(*before), out);
        return out;
    }
    auto files = regular ? rotated(path) : std::vector<std::string>{};
    if (tail) files.insert(files.begin(), path);
    chain_walk walk{std::move(files), *anchor};
    const bool found = walk.run();
    if (found && (!tail || tail->last == 0)) { // a crash may have left only a fragment in the new file
        out.gap = walk.broken();
        out.line = walk.line(), out.next = walk.sequence() + 1;
        if (!tail) out.fragment = walk.fragment();
    } else if (!tail) {
        out.after = anchor, out.next = anchor->sequence + 1;
    } else if (!found) out.gap = not_found(path, tail->last, *anchor);
    else if (!walk.broken().empty()) out.gap = walk.broken();
    else if (walk.last_file() != path) out.gap = fmt::format("the log does not follow line {} in {}", walk.sequence(), walk.last_file());
    if (!out.gap.empty()) out.next = std::max(out.next, anchor->sequence + 1);
    return out;
}

} // namespace exeat::ops
