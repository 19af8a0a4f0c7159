#include <ops/files/file_events.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <new>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace exeat::ops {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t tracked_files = 4'096; // with more files, only silence shows that a write is complete

using path = std::filesystem::path;

bool is_whole_directory(const path& p) { return p.filename() == "."; }

// The path as it is named and, if symlinks are involved, as it is resolved.
std::vector<path> ways_to(const std::string& named)
{
    std::vector<path> out{named};
    std::error_code failed;
    auto real = std::filesystem::canonical(is_whole_directory(named) ? path{named}.parent_path() : path{named}, failed);
    if (!failed) out.push_back(is_whole_directory(named) ? real / "." : real);
    return out;
}

std::string directory_of(const path& p)
{
    const auto parent = p.parent_path();
    return parent.empty() ? "." : parent.string();
}

} // namespace

std::chrono::milliseconds quiet_time(std::uint64_t octets) noexcept
{
    constexpr std::chrono::milliseconds least = 3s, for_each_mib = 1s, most = 60s;
    return std::min(least + for_each_mib * static_cast<std::int64_t>(octets >> 20), most);
}

file_events::file_events() : inotify_{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)}
{
    if (!inotify_) throw std::system_error{errno, std::generic_category(), "inotify_init1"};
}

// A path that is already watched stays watched without interruption, because the event that its writer has finished could be lost.
void file_events::watch(const std::vector<watched_file>& files)
{
    constexpr std::uint32_t of_directory =
        IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF;
    constexpr std::uint32_t of_file = IN_CLOSE_WRITE | IN_MODIFY; // also through another name, or from outside a mount of the file
    std::set<int> unused;
    for (const auto& [path, w] : watches_) unused.insert(w);
    watches_.clear();
    for (const auto& f : files) {
        for (const auto& way : ways_to(f.path)) watch_path(directory_of(way), of_directory, unused);
        if (!is_whole_directory(f.path)) watch_path(f.path, of_file, unused);
    }
    for (const int w : unused) ::inotify_rm_watch(inotify_.value(), w), watched_since_.erase(w);
    for (auto* places : {&writers_, &closed_}) std::erase_if(*places, [&](const place& p) { return unused.contains(p.first); });
    std::erase_if(moved_here_, [&](const auto& m) { return unused.contains(m.first.first); });
}

void file_events::watch_path(const std::string& path, std::uint32_t what, std::set<int>& unused)
{
    const int w = ::inotify_add_watch(inotify_.value(), path.c_str(), what);
    if (w < 0) return;
    watches_.insert_or_assign(path, w);
    watched_since_.try_emplace(w, clock::now());
    unused.erase(w);
}

void file_events::take_waiting()
{
    alignas(inotify_event) std::array<char, 4096> room;
    for (;;) {
        const auto got = ::read(inotify_.value(), room.data(), room.size());
        if (got <= 0) return;
        try {
            take_events({room.data(), static_cast<std::size_t>(got)});
        } catch (const std::bad_alloc&) {
            forget_writers(); // then only silence shows completion
        }
    }
}

void file_events::take_events(std::string_view octets)
{
    while (octets.size() >= sizeof(inotify_event)) {
        inotify_event e{};
        std::memcpy(&e, octets.data(), sizeof e);
        octets.remove_prefix(sizeof e);
        const auto name = octets.substr(0, std::min<std::size_t>(e.len, octets.size()));
        take_event(e, name.substr(0, name.find('\0'))); // padded with NULs
        octets.remove_prefix(name.size());
    }
}

void file_events::take_event(const inotify_event& e, std::string_view name)
{
    if ((e.mask & IN_Q_OVERFLOW) != 0) return forget_writers();
    if ((e.mask & (IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) return;
    told_.insert(e.wd);
    place at{e.wd, name};
    const bool moved_here = (e.mask & IN_MOVED_TO) != 0;
    if ((e.mask & IN_MODIFY) != 0 && is_of_another(at)) return;
    if ((e.mask & IN_MOVED_FROM) != 0) writer_moves_ = writers_.contains(at) ? e.cookie : 0;
    const bool written =
        (e.mask & IN_MODIFY) != 0 || ((e.mask & IN_CREATE) != 0 && is_opened(at)) || (moved_here && e.cookie == writer_moves_);
    if (writers_.size() + closed_.size() + moved_here_.size() >= tracked_files) forget_writers();
    writers_.erase(at), closed_.erase(at), moved_here_.erase(at);
    if (moved_here && !written) moved_here_.emplace(at, file_look{path_of(at)}.text);
    (written ? writers_ : closed_).insert(std::move(at));
}

std::string file_events::path_of(const place& at) const
{
    const auto watched = std::find_if(watches_.begin(), watches_.end(), [&](const auto& w) { return w.second == at.first; });
    if (watched == watches_.end()) return {};
    return at.second.empty() ? watched->first : watched->first + '/' + at.second;
}

// Whether a created name is a file that is open for writing. A link is complete at once.
bool file_events::is_opened(const place& at) const
{
    struct stat s {};
    return ::lstat(path_of(at).c_str(), &s) == 0 && S_ISREG(s.st_mode) && s.st_nlink == 1;
}

// A writer whose file was renamed over still causes events under its old name, but the file that is now there is not the writer's.
bool file_events::is_of_another(const place& at) const
{
    const auto known = moved_here_.find(at);
    return known != moved_here_.end() && known->second == file_look{path_of(at)}.text;
}

void file_events::forget_writers() noexcept
{
    writers_.clear();
    closed_.clear();
    moved_here_.clear();
    told_.clear();
}

// Whether one of the places is the file or, if it is a directory, any list in it.
bool file_events::any_at(const std::set<place>& places, const watched_file& f) const
{
    if (is_whole_directory(f.path)) {
        const auto w = watches_.find(directory_of(f.path));
        return w != watches_.end() && std::any_of(places.begin(), places.end(),
                                                  [&](const place& p) { return p.first == w->second && p.second.ends_with(".toml"); });
    }
    const auto all = places_of(f);
    return std::any_of(all.begin(), all.end(), [&](const place& p) { return places.contains(p); });
}

std::vector<file_events::place> file_events::places_of(const watched_file& f) const
{
    std::vector<place> out;
    for (const auto& way : ways_to(f.path))
        if (const auto w = watches_.find(directory_of(way)); w != watches_.end()) out.emplace_back(w->second, way.filename().string());
    if (const auto w = watches_.find(f.path); w != watches_.end()) out.emplace_back(w->second, std::string{});
    return out;
}

// Lists are added and removed in the directory, and each of them is complete independently of the others. What counts is that all their
// writers are known.
bool file_events::is_known(const watched_file& directory, clock::time_point now) const
{
    const auto w = watches_.find(directory_of(directory.path));
    if (w == watches_.end() || !told_.contains(w->second)) return false;
    const auto since = watched_since_.find(w->second);
    return since != watched_since_.end() && now - since->second >= quiet_time(0);
}

bool file_events::is_whole(const watched_file& f, clock::time_point now) const
{
    return is_whole_directory(f.path) ? is_known(f, now) : is_closed(f);
}

bool file_events::is_watched(const watched_file& f) const { return watches_.contains(directory_of(ways_to(f.path).back())); }

void file_events::give_up(const watched_file& f)
{
    std::erase_if(writers_, [&](const place& p) { return any_at({p}, f); });
}

void file_events::looked() noexcept
{
    closed_.clear();
    told_.clear();
}

} // namespace exeat::ops
