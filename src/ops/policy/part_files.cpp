#include <ops/policy/part_files.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

namespace fs = std::filesystem;

std::string parts_directory(const std::string& allowlist) { return fs::path{allowlist}.replace_extension(".d").string(); }

boost::system::result<std::vector<std::string>, std::string> part_files(const std::string& directory)
{
    std::vector<std::string> out;
    std::error_code failed;
    for (fs::directory_iterator at{directory, failed}, end; !failed && at != end; at.increment(failed)) {
        const auto name = at->path().filename().string();
        if (name.ends_with(".toml") && !name.starts_with('.')) out.push_back(at->path().string());
        if (out.size() > limits::list_parts) return fmt::format("more than {} files; join some", limits::list_parts);
    }
    if (failed && failed != std::errc::no_such_file_or_directory) return failed.message();
    std::sort(out.begin(), out.end());
    return out;
}

} // namespace exeat::ops
