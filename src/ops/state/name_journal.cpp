#include <ops/state/name_journal.hpp>

#include <exeat/limits.hpp>
#include <ops/files/file_source.hpp>
#include <ops/text/formats.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace exeat::ops {

namespace {

using record = std::array<std::uint64_t, 4>;

std::string former(const std::string& path) { return path + ".1"; }
std::string heading() { return fmt::format("{}\n", formats::names_journal); }

bool read_into(std::vector<journalled_name>& out, const std::string& path)
{
    const auto bytes = read_whole(path, limits::name_snapshot_bytes);
    const auto begins = heading();
    if (!bytes || !bytes->starts_with(begins)) return false;
    record r{};
    for (auto at = begins.size(); at + sizeof r <= bytes->size(); at += sizeof r) { // a killed process may have left a partial record
        std::memcpy(r.data(), bytes->data() + at, sizeof r);
        const auto minutes = std::min(r[3], limits::snapshot_minutes);
        out.push_back({{r[0], r[1], r[2]}, wall_time{std::chrono::minutes{static_cast<std::int64_t>(minutes)}}});
    }
    return true;
}

} // namespace

void name_journal::append(const name_budget::counted& c, wall_time now) noexcept
{
    const auto minutes = std::chrono::floor<std::chrono::minutes>(now.time_since_epoch()).count();
    const record r{c.client, c.entry, c.name, static_cast<std::uint64_t>(minutes)};
    const std::lock_guard hold{lock_};
    if (!to_) return;
    const bool fits = bytes_ + sizeof r <= limits::name_snapshot_bytes;
    if (fits && ::write(to_.value(), r.data(), sizeof r) == sizeof r) {
        bytes_ += sizeof r;
        return;
    }
    to_.reset();
    lacks_some_ = true;
    ::unlink(path_.c_str());
}

// A journal that lacks names is started again only once a snapshot contains them.
std::error_code name_journal::begin(bool saved)
{
    if (path_.empty()) return {};
    const std::lock_guard hold{lock_};
    if (!saved) return {};
    const bool lacked = std::exchange(lacks_some_, false);
    return open_new(!lacked && to_);
}

std::error_code name_journal::open_new(bool keep_this)
{
    const auto next = fmt::format("{}.new.{}", path_, ::getpid());
    net::unique_fd fd{::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)};
    const auto begins = heading();
    if (!fd || ::write(fd.value(), begins.data(), begins.size()) != static_cast<ssize_t>(begins.size()) ||
        (keep_this && ::rename(path_.c_str(), former(path_).c_str()) != 0) || ::rename(next.c_str(), path_.c_str()) != 0) {
        lacks_some_ = true;
        to_.reset();
        const std::error_code why{errno, std::generic_category()};
        for (const auto& file : {path_, next}) ::unlink(file.c_str());
        return why;
    }
    if (!keep_this) ::unlink(former(path_).c_str());
    to_ = std::move(fd);
    bytes_ = begins.size();
    return {};
}

std::optional<std::vector<journalled_name>> read_names_journal(const std::string& path)
{
    std::vector<journalled_name> out;
    std::error_code failed;
    if (std::filesystem::exists(former(path), failed) && !read_into(out, former(path))) return std::nullopt;
    if (!read_into(out, path)) return std::nullopt;
    return out;
}

} // namespace exeat::ops
