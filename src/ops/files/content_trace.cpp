#include <ops/files/content_trace.hpp>

#include <algorithm>

namespace exeat::ops {

void content_trace::take(std::string_view more)
{
    const auto to_head = std::min(more.size(), head_octets - head_.size());
    head_.append(more.substr(0, to_head));
    octets_ += to_head;
    hash(more.substr(to_head));
}

void content_trace::hash(std::string_view more)
{
    for (const char c : more) {
        hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        if (++octets_ % block_octets == 0) blocks_.push_back(hash_);
    }
}

bool content_trace::begins(const content_trace& longer) const noexcept
{
    if (octets_ >= longer.octets_ || !longer.head_.starts_with(head_)) return false;
    return blocks_.empty() || blocks_.back() == longer.blocks_[blocks_.size() - 1];
}

} // namespace exeat::ops
