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
    if (!to_ && !first_) return;
    const int fd = to_ ? to_.value() : first_->file().value();
    if (bytes_ + sizeof r > limits::name_snapshot_bytes || ::write(fd, r.data(), sizeof r) != sizeof r) lost({});
    else bytes_ += sizeof r;
}

std::error_code name_journal::lost(const std::error_code& why) noexcept
{
    to_.reset();
    first_.reset();
    ::unlink(path_.c_str());
    return why;
}

std::error_code name_journal::begin(bool saved)
{
    if (path_.empty()) return {};
    const std::lock_guard hold{lock_};
    if (!to_ && !first_) return begin_first();
    if (!saved) return {};
    if (to_) return rotate();
    if (const auto failed = first_->put()) return lost(failed);
    ::unlink(former(path_).c_str());
    to_ = first_->take();
    first_.reset();
    return {};
}

std::error_code name_journal::begin_first()
{
    const auto begins = heading();
    first_ = std::make_unique<unfinished_file>(path_, readers::owner, O_APPEND);
    if (!first_->is_open() || first_->write(begins)) return lost(std::error_code{first_->error()}); // a copy: it ends with the file
    bytes_ = begins.size();
    return {};
}

// The names since the previous snapshot stay until the next one is on disk.
std::error_code name_journal::rotate()
{
    const auto begins = heading();
    unfinished_file next{path_, readers::owner, O_APPEND};
    if (!next.is_open() || next.write(begins)) return lost(next.error());
    if (::rename(path_.c_str(), former(path_).c_str()) != 0) return lost({errno, std::generic_category()});
    if (next.put()) return lost(next.error());
    to_ = next.take();
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
