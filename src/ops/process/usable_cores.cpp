#include <ops/process/usable_cores.hpp>

#include <exeat/limits.hpp>
#include <ops/files/file_source.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <sched.h>
#include <thread>

namespace exeat::ops {

namespace {

using cores = std::optional<std::size_t>;

// Returns the part before the first `end` and removes both from `rest`.
std::string_view take_until(char end, std::string_view& rest) noexcept
{
    const auto at = std::min(rest.find(end), rest.size());
    const auto part = rest.substr(0, at);
    rest.remove_prefix(std::min(at + 1, rest.size()));
    return part;
}

bool has_word(std::string_view list, std::string_view word) noexcept
{
    while (!list.empty())
        if (take_until(',', list) == word) return true;
    return false;
}

std::optional<std::uint64_t> number(std::string_view text) noexcept
{
    std::uint64_t n = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return n;
}

cores smaller(cores a, cores b) noexcept
{
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}

// Empty when the file cannot be read.
std::string text_of(const std::string& path)
{
    auto text = read_whole(path, limits::config_bytes);
    return text ? *std::move(text) : std::string{};
}

std::string first_line(const std::string& path)
{
    const auto text = text_of(path);
    return text.substr(0, text.find('\n'));
}

struct hierarchy { // a cgroup hierarchy that limits CPU time, as this process sees it
    bool v2 = false;
    std::string_view top;   // the group at the root of the mount
    std::string_view mount; // the mount point
};

// A line of mountinfo (proc_pid_mountinfo(5)): "ID parent device root mount options... - type source options".
std::optional<hierarchy> read_mount(std::string_view line) noexcept
{
    const auto dash = line.find(" - ");
    if (dash == line.npos) return std::nullopt;
    auto type_and_options = line.substr(dash + 3);
    for (int skipped = 0; skipped < 3; ++skipped) take_until(' ', line);
    hierarchy h;
    h.top = take_until(' ', line);
    h.mount = take_until(' ', line);
    const auto type = take_until(' ', type_and_options);
    take_until(' ', type_and_options);
    h.v2 = type == "cgroup2";
    if (!h.v2 && !(type == "cgroup" && has_word(type_and_options, "cpu"))) return std::nullopt;
    return h;
}

// Finds the own group in /proc/self/cgroup (cgroups(7)): lines of "number:controllers:path"; for v2, controllers is empty.
std::string_view own_group(std::string_view lines, bool v2) noexcept
{
    while (!lines.empty()) {
        auto line = take_until('\n', lines);
        take_until(':', line);
        const auto controllers = take_until(':', line);
        if (v2 ? controllers.empty() : has_word(controllers, "cpu")) return line;
    }
    return {};
}

// The group's path below the mount; "" where the mount does not show the group, as in a container that has its parent's view.
std::string_view below(std::string_view top, std::string_view group) noexcept
{
    if (!group.starts_with('/') || group.find("/..") != group.npos) return {};
    if (top == "/") return group == "/" ? std::string_view{} : group;
    const bool inside = group.starts_with(top) && group.substr(top.size()).starts_with('/');
    return inside ? group.substr(top.size()) : std::string_view{};
}

cores quota_in(const std::string& directory, bool v2)
{
    if (v2) return cores_of_quota(first_line(directory + "/cpu.max"));
    return cores_of_quota(first_line(directory + "/cpu.cfs_quota_us") + ' ' + first_line(directory + "/cpu.cfs_period_us"));
}

// The smallest quota from the own group up to the group at the root of the mount.
cores quota_of(const std::string& root, const hierarchy& h, std::string_view group)
{
    const auto mount = root + std::string{h.mount};
    cores least;
    for (auto path = below(h.top, group);; path = path.substr(0, path.rfind('/'))) {
        least = smaller(least, quota_in(mount + std::string{path}, h.v2));
        if (path.empty()) return least;
    }
}

std::size_t cores_of_affinity() noexcept
{
    cpu_set_t mask;
    if (::sched_getaffinity(0, sizeof mask, &mask) == 0) return static_cast<std::size_t>(CPU_COUNT(&mask));
    return std::thread::hardware_concurrency(); // the machine has more than 1,024 cores
}

} // namespace

cores cores_of_quota(std::string_view text) noexcept
{
    const auto quota = number(take_until(' ', text)), period = number(text);
    if (!quota || !period || *period == 0) return std::nullopt;
    return std::max<std::size_t>(1, *quota / *period + (*quota % *period != 0));
}

cores cores_of_groups(const std::string& root)
{
    const auto mounts = text_of(root + "/proc/self/mountinfo"), groups = text_of(root + "/proc/self/cgroup");
    cores least;
    for (std::string_view rest = mounts; !rest.empty();)
        if (const auto h = read_mount(take_until('\n', rest))) least = smaller(least, quota_of(root, *h, own_group(groups, h->v2)));
    return least;
}

std::size_t usable_cores() { return std::max<std::size_t>(1, smaller(cores_of_affinity(), cores_of_groups()).value_or(1)); }

} // namespace exeat::ops
