// Numbers as little-endian bytes and back, for files that a later process reads. Private to ops.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace exeat::ops {

static_assert(std::endian::native == std::endian::little);

template <class T> void put(std::string& out, T value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }

// Takes numbers from the front. Once there are too few bytes or a value is invalid, the reader has failed for good.
class number_reader {
public:
    explicit number_reader(std::string_view from) : left_{from} {}

    template <class T> T take()
    {
        T out{};
        must(left_.size() >= sizeof out);
        if (failed_) return out;
        std::memcpy(&out, left_.data(), sizeof out);
        left_.remove_prefix(sizeof out);
        return out;
    }
    void must(bool holds) noexcept { failed_ |= !holds; }
    bool failed() const noexcept { return failed_; }
    bool whole() const noexcept { return !failed_ && left_.empty(); } // nothing failed, and every byte was read

private:
    std::string_view left_;
    bool failed_ = false;
};

} // namespace exeat::ops
