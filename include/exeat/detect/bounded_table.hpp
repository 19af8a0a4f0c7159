// A table of at most so many keys. When it is full, the key goes that was used least recently, and is counted: an attacker who fills it
// is seen by that. Every call is O(1). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

namespace exeat::detect {

template <class Key, class Value, class Hash> class bounded_table {
public:
    bounded_table(std::size_t capacity, Hash hash) : capacity_{capacity}, places_{0, hash} {}

    // The key's value, made anew where there is none; used now.
    Value& use(const Key& key)
    {
        const auto found = places_.find(key);
        if (found != places_.end()) {
            order_.splice(order_.begin(), order_, found->second);
            return found->second->second;
        }
        if (places_.size() == capacity_) evict();
        order_.emplace_front(key, Value{});
        places_.emplace(key, order_.begin());
        return order_.front().second;
    }
    const Value* look(const Key& key) const
    {
        const auto found = places_.find(key);
        return found == places_.end() ? nullptr : &found->second->second;
    }
    void forget(const Key& key)
    {
        const auto found = places_.find(key);
        if (found == places_.end()) return;
        order_.erase(found->second);
        places_.erase(found);
    }
    // So that another table that uses the same keys in this order forgets the same ones.
    template <class Visit> void each_oldest_first(Visit&& visit)
    {
        for (auto at = order_.rbegin(); at != order_.rend(); ++at) visit(at->first, at->second);
    }
    std::size_t size() const noexcept { return places_.size(); }
    std::size_t capacity() const noexcept { return capacity_; }
    std::uint64_t evicted() const noexcept { return evicted_; }

private:
    void evict()
    {
        places_.erase(order_.back().first);
        order_.pop_back();
        ++evicted_;
    }

    std::size_t capacity_;
    std::list<std::pair<Key, Value>> order_; // used last first
    std::unordered_map<Key, typename std::list<std::pair<Key, Value>>::iterator, Hash> places_;
    std::uint64_t evicted_ = 0;
};

} // namespace exeat::detect
