// Writes the detectors' state as bytes, and reads it: both use one list of fields, `fields()` of each class with state. Numbers are
// little-endian. An array of numbers is stored as one bit for each element, set if it is not zero, then the elements that are not zero. A
// table is stored as the number of its entries, then key and value of each, the least recently used one first. What the reader accepts, the
// writer writes unchanged. Private to core.
#pragma once

#include <exeat/bounded_table.hpp>
#include <exeat/budget/budget.hpp>
#include <exeat/detect/keys.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace exeat::detect {

static_assert(std::endian::native == std::endian::little && sizeof(std::size_t) == sizeof(std::uint64_t));

template <class T>
concept number = std::is_arithmetic_v<T>;
template <class T>
concept plain = number<T> || std::is_same_v<T, std::chrono::seconds>;

class state_writer {
public:
    explicit state_writer(std::string& out) noexcept : out_{out} {}
    template <class... T> void operator()(T&... values) { (put(values), ...); }

private:
    template <number T> void put(const T& v) { out_.append(reinterpret_cast<const char*>(&v), sizeof v); }
    void put(const std::chrono::seconds& t) { put(t.count()); }
    void put(const ip_address& a) { out_.append(reinterpret_cast<const char*>(a.octets.data()), a.octets.size()); }
    void put(const client_key& k) { put(k.client), put(k.what); }
    void put(const sliding_sums& s)
    {
        put(s.at().count());
        put(s.written());
    }
    template <plain T, std::size_t N> void put(const std::array<T, N>& all)
    {
        std::array<std::uint8_t, (N + 7) / 8> used{};
        for (std::size_t i = 0; i < N; ++i)
            if (all[i] != T{}) used[i / 8] = static_cast<std::uint8_t>(used[i / 8] | 1u << i % 8);
        out_.append(reinterpret_cast<const char*>(used.data()), used.size());
        for (const auto& v : all)
            if (v != T{}) put(v);
    }
    template <class Key, class Value, class Hash> void put(bounded_table<Key, Value, Hash>& t)
    {
        put(static_cast<std::uint32_t>(t.size()));
        t.each_oldest_first([this](const Key& k, Value& v) { put(k), put(v); });
    }
    template <class T, std::size_t N>
    requires(!plain<T>) void put(std::array<T, N>& all)
    {
        for (auto& v : all) put(v);
    }
    template <class T>
    requires requires(T& v, state_writer& self) { v.fields(self); }
    void put(T& v) { v.fields(*this); }

    std::string& out_;
};

// After any invalid input the reader has failed permanently, and its results must not be used.
class state_reader {
public:
    // `back` is subtracted from every time that is read.
    state_reader(std::string_view from, std::chrono::seconds back) noexcept : left_{from}, back_{back} {}
    template <class... T> void operator()(T&... values) { (take(values), ...); }
    bool whole() const noexcept { return !failed_ && left_.empty(); } // the whole input was valid

private:
    void must(bool holds) noexcept { failed_ |= !holds; }
    void octets(void* to, std::size_t n) noexcept
    {
        must(left_.size() >= n);
        if (failed_) return;
        std::memcpy(to, left_.data(), n);
        left_.remove_prefix(n);
    }
    template <number T> void take(T& v)
    {
        octets(&v, sizeof v);
        if constexpr (std::is_floating_point_v<T>) must(std::isfinite(v));
    }
    void take(bool& v)
    {
        std::uint8_t n = 0;
        octets(&n, 1);
        must(n <= 1);
        v = n == 1;
    }
    void take(std::chrono::seconds& t)
    {
        constexpr std::chrono::seconds last = std::chrono::minutes{limits::snapshot_minutes};
        std::int64_t n = 0;
        take(n);
        must(n >= 0 && n <= last.count());
        t = std::max(std::chrono::seconds{failed_ ? 0 : n} - back_, std::chrono::seconds{0});
    }
    void take(ip_address& a) { octets(a.octets.data(), a.octets.size()); }
    void take(client_key& k) { take(k.client), take(k.what); }
    void take(sliding_sums& s)
    {
        std::array<std::uint64_t, sliding_sums::steps> steps{};
        std::chrono::seconds at{};
        std::int64_t minute = 0;
        take(minute);
        must(minute >= 0 && static_cast<std::uint64_t>(minute) <= limits::snapshot_minutes);
        take(steps);
        for (const auto n : steps) must(n < unlimited / (2 * sliding_sums::steps));
        if (failed_) return;
        at = std::chrono::minutes{minute} - back_;
        s.read(steps, std::max(std::chrono::floor<budget_minutes>(at), budget_minutes{0}));
    }
    template <plain T, std::size_t N> void take(std::array<T, N>& all)
    {
        std::array<std::uint8_t, (N + 7) / 8> used{};
        octets(used.data(), used.size());
        if constexpr (N % 8 != 0) must(used.back() >> N % 8 == 0);
        for (std::size_t i = 0; i < N && !failed_; ++i)
            if ((used[i / 8] >> i % 8 & 1) != 0) {
                take(all[i]);
                must(all[i] != T{} || back_ > std::chrono::seconds{0});
            }
    }
    template <class Key, class Value, class Hash> void take(bounded_table<Key, Value, Hash>& t)
    {
        std::uint32_t count = 0;
        take(count);
        must(count <= t.capacity());
        for (std::uint32_t i = 0; i < count && !failed_; ++i) {
            Key k;
            take(k);
            if (!failed_) take(t.use(k));
        }
        must(t.size() == count); // no key occurred twice
    }
    template <class T, std::size_t N>
    requires(!plain<T>) void take(std::array<T, N>& all)
    {
        for (auto& v : all) take(v);
    }
    template <class T>
    requires requires(T& v, state_reader& self) { v.fields(self); }
    void take(T& v) { v.fields(*this); }

    std::string_view left_;
    const std::chrono::seconds back_;
    bool failed_ = false;
};

} // namespace exeat::detect
