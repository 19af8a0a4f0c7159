#include <ops/evidence/audit_rotation.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <new>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace exeat::ops {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t digits = 12;
constexpr int namesakes = 9; // files with the same number, which exist if the numbering restarted

bool all_digits(std::string_view text) noexcept { return !text.empty() && text.find_first_not_of("0123456789") == text.npos; }

// "000000004711", "000000004711-2", either with ".gz".
bool is_ours(std::string_view suffix) noexcept
{
    if (suffix.ends_with(".gz")) suffix.remove_suffix(3);
    const auto number = suffix.substr(0, suffix.find('-'));
    const auto rest = suffix.substr(number.size());
    return number.size() >= digits && all_digits(number) && (rest.empty() || all_digits(rest.substr(1)));
}

// Not every file system supports RENAME_NOREPLACE. The separate check is enough, because no other program writes names of this form.
int rename_over_nothing(const std::string& from, const std::string& to) noexcept
{
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    struct stat there {};
    if (::lstat(to.c_str(), &there) == 0) return EEXIST;
    return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

void forget_oldest(const fs::path& path, std::size_t keep)
{
    std::error_code failed;
    const auto prefix = path.filename().string() + ".";
    const auto directory = path.has_parent_path() ? path.parent_path() : fs::path{"."};
    std::vector<std::pair<fs::file_time_type, std::string>> rotated;
    for (fs::directory_iterator at{directory, failed}, end; !failed && at != end; at.increment(failed)) {
        const auto name = at->path().filename().string();
        if (!name.starts_with(prefix) || !is_ours(std::string_view{name}.substr(prefix.size()))) continue;
        const auto when = at->last_write_time(failed);
        if (!failed) rotated.emplace_back(when, at->path().string());
        failed.clear();
    }
    std::sort(rotated.begin(), rotated.end()); // by time and not by number: the numbering may have restarted
    for (std::size_t i = 0; i + keep < rotated.size(); ++i) fs::remove(rotated[i].second, failed);
}

} // namespace

std::error_code rotate_audit_file(const std::string& path, std::uint64_t last_line, std::size_t keep) noexcept
{
    try {
        const auto name = fmt::format("{}.{:0{}}", path, last_line, digits);
        auto error = rename_over_nothing(path, name);
        for (int n = 2; error == EEXIST && n <= namesakes; ++n) error = rename_over_nothing(path, fmt::format("{}-{}", name, n));
        if (error != 0) return {error, std::generic_category()};
        forget_oldest(path, keep);
        return {};
    } catch (const std::exception&) {
        return std::make_error_code(std::errc::not_enough_memory);
    }
}

} // namespace exeat::ops
