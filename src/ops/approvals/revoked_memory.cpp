#include <ops/approvals/revoked_memory.hpp>

#include <exeat/limits.hpp>
#include <ops/approvals/state_lock.hpp>
#include <ops/files/file_source.hpp>
#include <ops/files/replace_file.hpp>
#include <ops/text/formats.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

namespace {
constexpr auto heading = formats::revoked;
}

std::string revoked_memory_text(const std::vector<revoked_digest>& all)
{
    auto out = fmt::format("{}\n", heading);
    for (const auto& r : all) out += fmt::format("{} {}\n", r.sha256, utc(r.until));
    return out;
}

std::optional<std::vector<revoked_digest>> read_revoked_memory(std::string_view text)
{
    std::vector<revoked_digest> out;
    statement_lines in{text};
    if (in.take(heading) != std::string_view{}) return std::nullopt;
    auto rest = text.substr(heading.size() + 1);
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        const bool whole = line.size() < rest.size() && line.size() > digest_digits && line[digest_digits] == ' ';
        const auto until = whole ? read_moment(line.substr(digest_digits + 1)) : std::nullopt;
        if (!until || !is_hexadecimal(line.substr(0, digest_digits), digest_digits)) return std::nullopt;
        if (out.size() == limits::revoked_digests || (!out.empty() && out.back().sha256 >= line.substr(0, digest_digits)))
            return std::nullopt;
        out.push_back({std::string{line.substr(0, digest_digits)}, *until});
        rest.remove_prefix(line.size() + 1);
    }
    return out;
}

std::string revoked_memory::look()
{
    std::error_code failed;
    if (!std::filesystem::exists(path_, failed)) {
        kept_ = kept_ && until_.empty();
        return failed ? fmt::format("{}: {}; it says what was revoked", path_, failed.message()) : std::string{};
    }
    const auto text = read_whole(path_, limits::revoked_memory_bytes);
    const auto found = text ? read_revoked_memory(*text) : std::nullopt;
    if (!found)
        return text ? path_ + ": is damaged; it says what was revoked. Restore it, or remove it if you know that nothing revoked can be "
                              "slipped in"
                    : fmt::format("{}: {}; it says what was revoked, and root or exeat's own user may read it", path_, text.error());
    const bool all_kept = kept_;
    for (const auto& r : *found) {
        auto& until = until_.try_emplace(r.sha256, r.until).first->second;
        until = std::max(until, r.until);
    }
    kept_ = all_kept && until_.size() == found->size();
    return {};
}

bool revoked_memory::add(const std::vector<revoked_digest>& more)
{
    bool room = true;
    for (const auto& r : more) {
        const auto known = until_.find(r.sha256);
        if (known != until_.end() && known->second >= r.until) continue;
        if (known == until_.end() && until_.size() >= limits::revoked_digests) {
            room = false; // a new revocation never displaces an old one
            continue;
        }
        until_[r.sha256] = r.until;
        kept_ = false;
    }
    return room;
}

std::string revoked_memory::keep(std::optional<wall_time> certain)
{
    if (kept_) return {};
    const state_lock hold{directory_};
    if (!hold.wrong().empty()) return hold.wrong();
    if (auto wrong = look(); !wrong.empty()) return wrong;
    if (certain) std::erase_if(until_, [&](const auto& r) { return r.second <= *certain; });
    while (until_.size() > limits::revoked_digests) // two full processes were merged: drop what ends first
        until_.erase(std::min_element(until_.begin(), until_.end(), [](const auto& a, const auto& b) { return a.second < b.second; }));
    if (const auto failed = replace_file(path_, revoked_memory_text(all())))
        return fmt::format("what was revoked cannot be written to {}: {}", path_, failed.message());
    kept_ = true;
    return {};
}

bool revoked_memory::holds(const std::string& sha256, wall_time now) const
{
    const auto at = until_.find(sha256);
    return full_ || (at != until_.end() && now < at->second);
}

std::size_t revoked_memory::count(wall_time now) const
{
    return static_cast<std::size_t>(std::count_if(until_.begin(), until_.end(), [now](const auto& r) { return now < r.second; }));
}

std::vector<revoked_digest> revoked_memory::all() const
{
    std::vector<revoked_digest> out;
    for (const auto& [sha256, until] : until_) out.push_back({sha256, until});
    return out;
}

} // namespace exeat::ops
