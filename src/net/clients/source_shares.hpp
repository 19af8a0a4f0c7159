// A fixed number of places that clients share. A source may take another place while it holds fewer than are free. So one source gets half
// of the places, two get a third each, and however many a few sources hold, a source without a place still finds one. Only sources that
// hold a place are remembered, so the table is never larger than the number of places. One worker's thread.
#pragma once

#include <net/clients/client_table.hpp>

#include <cassert>
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>

namespace exeat::net {

class source_shares {
public:
    explicit source_shares(std::size_t places) noexcept : places_{places} {}
    source_shares(const source_shares&) = delete;
    source_shares& operator=(const source_shares&) = delete;

    // A counted place; the destructor returns it. The shares outlive it.
    class place {
    public:
        place(place&& o) noexcept : home_{std::exchange(o.home_, nullptr)}, source_{o.source_} {}
        place& operator=(place&&) = delete;
        ~place()
        {
            if (home_) home_->give_back(source_);
        }

    private:
        friend class source_shares;
        place(source_shares& home, const client_key& source) noexcept : home_{&home}, source_{source} {}
        source_shares* home_;
        client_key source_;
    };

    // nullopt: the source has its share, or all places are taken.
    std::optional<place> take(const ip_address& source)
    {
        const client_key key{source, 0};
        const auto free = places_ - taken_;
        const auto at = held_.find(key);
        if ((at == held_.end() ? 0 : at->second) >= free) return std::nullopt;
        if (at == held_.end()) held_.emplace(key, 1);
        else ++at->second;
        ++taken_;
        assert(taken_ <= places_ && held_.size() <= taken_);
        return place{*this, key};
    }
    std::size_t taken() const noexcept { return taken_; }
    std::size_t sources() const noexcept { return held_.size(); }

private:
    void give_back(const client_key& source) noexcept
    {
        const auto at = held_.find(source);
        assert(at != held_.end() && at->second > 0 && taken_ > 0);
        if (--at->second == 0) held_.erase(at);
        --taken_;
    }

    const std::size_t places_;
    std::size_t taken_ = 0;
    std::unordered_map<client_key, std::size_t, client_key_hash> held_; // number of places that each source holds
};

} // namespace exeat::net
