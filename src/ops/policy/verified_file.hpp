// A file that is parsed only once all of its bytes are known to be approved, in bounded memory whatever its size: it is read once for its
// digest and that of each block, and again block by block, where a block that has changed is an error and is not returned. Blocks; never on
// a worker.
#pragma once

#include <ops/files/file_source.hpp>
#include <ops/text/digest.hpp>

#include <memory>
#include <vector>

namespace exeat::ops {

class verified_file {
public:
    // The error says what is wrong, and after a semicolon how to fix it.
    static boost::system::result<verified_file, std::string> open(const std::string& path, std::size_t most, std::string_view sha256);

    // The next bytes; empty at the end. Valid until the next call.
    boost::system::result<std::string_view, std::string> next();

private:
    static constexpr std::size_t block_bytes = 64 * 1024;
    explicit verified_file(file_source&& from);
    std::string take_digests(std::string_view sha256); // returns what is wrong; empty: nothing
    boost::system::result<std::size_t, int> read_block();

    file_source from_;
    std::unique_ptr<char[]> block_;
    std::vector<sha256_digest::value> digests_; // of each block
    std::size_t handed_out_ = 0;
};

// Reads a small file as a whole.
boost::system::result<std::string, std::string> read_verified(const std::string& path, std::size_t most, std::string_view sha256);

} // namespace exeat::ops
