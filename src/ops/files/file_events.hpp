// What inotify(7) reports about a set of files: which of them are being written, and which are complete. A writer is known by its name in a
// watched directory, or by the file itself. Changes before a directory was watched, or by other machines in a network folder, are not
// reported. One thread.
#pragma once

#include <net/sockets/unique_fd.hpp>
#include <ops/files/watched_file.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct inotify_event;

namespace exeat::ops {

// How long a file of this size must be silent before it counts as complete without an event: copies of large files over a network have
// longer pauses.
std::chrono::milliseconds quiet_time(std::uint64_t octets) noexcept;

class file_events {
public:
    using clock = std::chrono::steady_clock;

    file_events();                                               // throws std::system_error when the kernel gives no inotify instance
    int descriptor() const noexcept { return inotify_.value(); } // readable when events wait
    // Watches these files and their directories, also behind symlinks. The knowledge about files that were already watched is kept.
    void watch(const std::vector<watched_file>&);
    void take_waiting();    // reads the waiting events
    void looked() noexcept; // forgets the completed files; files that are still being written stay known

    bool is_written(const watched_file& f) const { return any_at(writers_, f); } // and not closed yet; for a directory: any list in it
    // Closed, renamed to here, or removed since looked(). For a directory: all its writers are known.
    bool is_whole(const watched_file&, clock::time_point now) const;
    bool is_closed(const watched_file& f) const { return any_at(closed_, f); }
    bool is_watched(const watched_file&) const; // its directory, with symlinks resolved
    void give_up(const watched_file&);          // no longer counts it as being written

private:
    using place = std::pair<int, std::string>; // a watch and a name in its directory; for a file's own watch: no name

    void watch_path(const std::string& path, std::uint32_t what, std::set<int>& unused);
    void take_events(std::string_view octets);
    void take_event(const inotify_event&, std::string_view name);
    void forget_writers() noexcept;
    bool is_opened(const place&) const;
    bool is_of_another(const place&) const;
    bool is_known(const watched_file& directory, clock::time_point now) const;
    std::string path_of(const place&) const;
    std::vector<place> places_of(const watched_file&) const;
    bool any_at(const std::set<place>&, const watched_file&) const;

    const net::unique_fd inotify_;
    std::map<std::string, int, std::less<>> watches_; // by path
    std::map<int, clock::time_point> watched_since_;  // by watch
    std::set<int> told_;                              // watches with an event since looked()
    std::set<place> writers_;                         // written and not closed yet
    std::set<place> closed_;                          // closed, renamed to here, or removed since looked()
    std::map<place, std::string> moved_here_;         // the file_look of each file that was renamed to here
    std::uint32_t writer_moves_ = 0;                  // the cookie of the rename of a file that is being written; 0: none
};

} // namespace exeat::ops
