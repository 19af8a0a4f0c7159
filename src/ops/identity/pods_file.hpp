// A file with all pods of a cluster: first, one a line, the pods as the API server writes them (core/v1 Pod), of which only the fields that
// pod_json.hpp reads are needed; then a line {"type":"BOOKMARK"}, without which the file is not whole and nothing of it counts; and then,
// appended while they happen, the API server's watch events ({"type":"ADDED|MODIFIED|DELETED|BOOKMARK","object":{...}}). A writer begins a
// new file under another name and renames it; what else is written in place is refused. A line that cannot be read could be of the pod that
// has an address now, so it stops everything after it. Blocks; never on a worker. One thread.
#pragma once

#include <net/sockets/unique_fd.hpp>
#include <ops/identity/pod_json.hpp>
#include <ops/text/digest.hpp>

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

struct pods_news {
    bool all = false;              // `now` is all pods; otherwise these are new or changed, ...
    std::vector<pod_report> now{}; // ... and those in `gone` are no more. In order: a UID is in one of the two
    std::vector<std::string> gone{};
    bool unfinished = false; // the last line has no end yet
};

class pods_file {
public:
    explicit pods_file(std::string path) : path_{std::move(path)} {}

    // What was written since the last call that succeeded. The error is a whole sentence with the line: "FILE:7: is not JSON at octet 12".
    // After it nothing was taken, and the next call reads the same again.
    boost::system::result<pods_news, std::string> read();
    void forget() noexcept { file_ = {}; } // the next read() returns all pods

private:
    class reading;
    const std::string path_;
    net::unique_fd file_; // open, so that no other file gets its inode
    std::uint64_t read_to_ = 0, lines_ = 0;
    sha256_digest::value sha256_{}; // of what was read
};

} // namespace exeat::ops
