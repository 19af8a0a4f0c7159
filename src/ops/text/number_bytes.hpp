// Numbers as bytes, little-endian, for what is written for a later process, and back. Private to ops.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace exeat::ops {

static_assert(std::endian::native == std::endian::little);

template <class T> void put(std::string& out, T value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }

// Takes numbers off the front; once there were too few bytes, or what was taken could not be, it has failed for good.
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
    bool whole() const noexcept { return !failed_ && left_.empty(); } // right to the last byte

private:
    std::string_view left_;
    bool failed_ = false;
};

} // namespace exeat::ops
