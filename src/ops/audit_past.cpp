#include <ops/audit_past.hpp>

#include <ops/audit_chain.hpp>
#include <ops/log_text.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <vector>

namespace exeat::ops {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_looked_at = 64;

bool is_anchored(std::string_view line, const audit_anchor& a)
{
    if (line.empty()) return false;
    const auto hash = sha256{}.of(line);
    return std::string_view{hash.data(), hash.size()} == a.sha256;
}

// "audit.jsonl.1", "audit.jsonl-20261127" and, where logrotate keeps the extension, "audit-20261127.jsonl".
bool named_after(const fs::path& log, const std::string& name)
{
    const auto whole = log.filename().string(), stem = log.stem().string(), extension = log.extension().string();
    if (name.ends_with(".gz") || name == whole) return false;
    if (name.starts_with(whole)) return name[whole.size()] == '.' || name[whole.size()] == '-';
    return !extension.empty() && name.starts_with(stem + "-") && name.ends_with(extension);
}

// The files that lie beside the log and were rotated from it, by their names; the newest first.
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

// The rotated file that holds what was anchored; without an anchor, the newest that is an audit log.
std::optional<audit_tail> tail_before(const std::string& path, const std::optional<audit_anchor>& anchor)
{
    for (const auto& file : rotated(path)) {
        if (anchor && !is_anchored(find_audit_line(file, anchor->sequence), *anchor)) continue;
        auto tail = read_audit_tail(file);
        if (tail && tail->last > 0) return std::move(*tail);
    }
    return std::nullopt;
}

bool begins_after(const std::string& path, const audit_anchor& a)
{
    std::string first;
    read_log_text(path, [&first](std::string_view piece) {
        first.append(piece);
        return first.find('\n') == first.npos && first.size() <= limits::audit_line_bytes;
    });
    const auto link = read_link(std::string_view{first}.substr(0, first.find('\n')));
    return link && link->sequence == a.sequence + 1 && link->previous == a.sha256;
}

// What is amiss in a file that has lines, the last one's number being `last`.
std::string compare(const std::string& path, std::uint64_t last, const audit_anchor& a)
{
    const auto line = find_audit_line(path, a.sequence);
    if (is_anchored(line, a)) return {};
    if (!line.empty())
        return fmt::format("line {} of the log is not the one that was there at the last checkpoint: it was changed", a.sequence);
    if (last > a.sequence && (begins_after(path, a) || tail_before(path, a))) return {};
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
    if (tail) {
        go_on_after(*tail, out);
        if (anchor) out.gap = compare(path, tail->last, *anchor);
        if (!out.gap.empty()) out.next = std::max(out.next, anchor->sequence + 1);
        return out;
    }
    if (auto before = regular ? tail_before(path, anchor) : std::nullopt) go_on_after(std::move(*before), out);
    else if (anchor) out.after = anchor, out.next = anchor->sequence + 1;
    return out;
}

} // namespace exeat::ops
