// Reads files that people write, block by block: only regular files (a FIFO or a device would hang the loader) of a bounded size. Blocks;
// never on a worker.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace exeat::ops {

class file_source {
public:
    // The error says what is wrong, and after a semicolon how to fix it.
    static boost::system::result<file_source, std::string> open(const std::string& path, std::size_t most);
    file_source(file_source&&) noexcept;
    file_source& operator=(file_source&&) = delete;
    ~file_source();

    std::size_t size() const noexcept { return size_; }
    // Octets read into `to`, 0 at the end; an errno otherwise, EFBIG when the file grew past the bound.
    boost::system::result<std::size_t, int> read(std::span<char> to);
    bool rewind() noexcept; // to the beginning; false: errno says why not

private:
    file_source(int fd, std::size_t size, std::size_t most) noexcept : fd_{fd}, size_{size}, most_{most}, left_{most} {}
    int fd_;
    std::size_t size_;
    std::size_t most_;
    std::size_t left_;
};

boost::system::result<std::string, std::string> read_whole(const std::string& path, std::size_t most);

} // namespace exeat::ops
