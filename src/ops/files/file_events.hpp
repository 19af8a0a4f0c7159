// What inotify(7) tells of a set of files: who is writing which of them, and which are whole. A writer is known by its name in a watched
// directory, or by the file itself. What happened before a directory was watched, or in a folder of another machine, nobody tells. One
// thread.
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

// How long nothing must happen to a file of this size before it is taken for whole although nobody said so: who copies a large one over a
// network pauses for longer.
std::chrono::milliseconds quiet_time(std::uint64_t octets) noexcept;

class file_events {
public:
    using clock = std::chrono::steady_clock;

    file_events();                                               // throws std::system_error when the kernel gives no inotify instance
    int descriptor() const noexcept { return inotify_.value(); } // readable when something happened
    // These and their directories, also behind symlinks. What is known of those that were watched already stays.
    void watch(const std::vector<watched_file>&);
    void take_waiting();    // reads what happened
    void looked() noexcept; // what is whole is known; who is still writing goes on being known

    bool is_written(const watched_file& f) const { return any_at(writers_, f); } // and not closed yet; of a directory: any list in it
    // Closed, renamed to here, or removed since looked(). Of a directory: all that write in it are known.
    bool is_whole(const watched_file&, clock::time_point now) const;
    bool is_closed(const watched_file& f) const { return any_at(closed_, f); }
    bool is_watched(const watched_file&) const; // its directory, where it really is
    void give_up(const watched_file&);          // whoever has it open writes no more

private:
    using place = std::pair<int, std::string>; // a watch and a name in its directory; of a file's own watch: no name

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
    std::set<int> told_;                              // watches that an event came from since looked()
    std::set<place> writers_;                         // that were written, and are not closed
    std::set<place> closed_;                          // that were closed, renamed to here, or removed since looked()
    std::map<place, std::string> moved_here_;         // what file_look said of what was renamed to here
    std::uint32_t writer_moves_ = 0;                  // the cookie of a rename of what is being written; 0: none
};

} // namespace exeat::ops
