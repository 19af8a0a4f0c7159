// Writes the file that pods_file reads. A file is replaced by a rename and then only appended to. After a failure, when somebody else has
// replaced it, and when the events in it are many, it must be replaced. Without fsync: after a crash of the machine no pod is what it was.
// Blocks. One thread.
#pragma once

#include <net/sockets/unique_fd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace exeat::ops {

class pods_writer {
public:
    explicit pods_writer(std::string path) : path_{std::move(path)} {}

    bool may_append(std::size_t octets) const;
    std::error_code append(std::string_view lines);
    std::error_code replace(std::string_view all);

private:
    const std::string path_;
    net::unique_fd file_; // empty: it must be replaced
    std::uint64_t first_ = 0, appended_ = 0;
};

// Held as long as it lives, so that no second process writes the file. Throws std::runtime_error.
net::unique_fd lock_pods_file(const std::string& path);

} // namespace exeat::ops
