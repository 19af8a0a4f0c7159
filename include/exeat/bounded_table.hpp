// A table with a bounded number of keys. When it is full, the least recently used key is evicted and counted; the count shows an attack
// that fills the table. A key that was moved to the front within the last uses, a sixteenth of the capacity, is not moved again, because
// that would touch its neighbours' memory. So when a key is evicted, at least fifteen sixteenths of the capacity are keys used since. Every
// call is O(1). References and pointers into the table are valid until the next use() or forget(). One thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace exeat {

template <class Key, class Value, class Hash> class bounded_table {
public:
    bounded_table(std::size_t capacity, Hash hash) : capacity_{capacity}, places_(0, hash) {}

    // Returns the key's value, adding the key if it is absent. Counts as a use.
    Value& use(const Key& key)
    {
        ++uses_;
        const auto known = places_.find(key);
        if (known == places_.end()) return lines_[add(key)].value;
        auto& l = lines_[known->second];
        if (known->second != newest_ && uses_ - l.moved > capacity_ / 16) unlink(l), to_front(known->second);
        return l.value;
    }
    const Value* look(const Key& key) const
    {
        const auto known = places_.find(key);
        return known == places_.end() ? nullptr : &lines_[known->second].value;
    }
    void forget(const Key& key)
    {
        const auto known = places_.find(key);
        if (known == places_.end()) return;
        release(known->second);
        places_.erase(known);
    }
    // Copies the value of each key to its heirs, where an heir has no value or `larger(value, the heir's value)` is true.
    template <class HeirsOf, class Larger> void pass_on(HeirsOf&& heirs_of_key, Larger&& larger)
    {
        std::vector<std::pair<Key, Value>> left;
        each_oldest_first([&](const Key& key, const Value& value) {
            for (const auto& to : heirs_of_key(key)) left.emplace_back(to, value);
        });
        for (auto& [to, value] : left) {
            const bool is_new = look(to) == nullptr;
            auto& has = use(to);
            if (is_new || larger(value, has)) has = std::move(value);
        }
    }
    // In this order, so that another table that uses the keys in the same order evicts the same ones.
    template <class Visit> void each_oldest_first(Visit&& visit)
    {
        for (auto at = oldest_; at != none; at = lines_[at].newer) visit(lines_[at].key, lines_[at].value);
    }
    std::size_t size() const noexcept { return places_.size(); }
    std::size_t capacity() const noexcept { return capacity_; }
    std::uint64_t evicted() const noexcept { return evicted_; }

private:
    using place = std::uint32_t;
    static constexpr place none = ~place{0};
    struct line {
        Key key;
        place newer = none, older = none; // in free lines, `older` is the next free one
        std::uint64_t moved = 0;          // value of uses_ when it was last moved to the front
        Value value;
    };

    place add(const Key& key)
    {
        if (places_.size() == capacity_) evict();
        if (free_ == none) lines_.emplace_back(), free_ = static_cast<place>(lines_.size() - 1);
        const auto at = free_;
        places_.emplace(key, at);
        auto& l = lines_[at];
        free_ = l.older;
        l.key = key, l.value = Value{};
        to_front(at);
        return at;
    }
    void evict()
    {
        places_.erase(lines_[oldest_].key);
        release(oldest_);
        ++evicted_;
    }
    void release(place at) noexcept
    {
        unlink(lines_[at]);
        lines_[at].older = free_;
        free_ = at;
    }
    void unlink(const line& l) noexcept
    {
        (l.newer == none ? newest_ : lines_[l.newer].older) = l.older;
        (l.older == none ? oldest_ : lines_[l.older].newer) = l.newer;
    }
    void to_front(place at) noexcept
    {
        auto& l = lines_[at];
        l.newer = none, l.older = newest_, l.moved = uses_;
        (newest_ == none ? oldest_ : lines_[newest_].newer) = at;
        newest_ = at;
    }

    std::size_t capacity_;
    boost::unordered_flat_map<Key, place, Hash> places_;
    std::vector<line> lines_;
    place newest_ = none, oldest_ = none, free_ = none;
    std::uint64_t uses_ = 0, evicted_ = 0;
};

} // namespace exeat
