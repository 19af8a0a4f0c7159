// The marks of a host pattern (accounts.hpp): for the pattern itself, and for the names above it. The same in every process. Private to
// core.
#pragma once

#include <exeat/names/name_index.hpp>

#include "../names/name_hash.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace exeat {

enum class mark_kind : std::uint8_t {
    name,      // this host
    one_label, // all hosts one label below it
    any_depth, // all hosts below it
    above,     // some or all hosts below it
};
constexpr unsigned mark_kind_bits = 2, mark_index_bits = 16;
constexpr std::uint64_t mark_index_mask = (std::uint64_t{1} << mark_index_bits) - 1;
constexpr std::uint64_t mark_name_mask = ~((std::uint64_t{1} << (mark_index_bits + mark_kind_bits)) - 1);

constexpr std::uint64_t mark_of(std::uint64_t name, mark_kind k) noexcept
{
    return (name & mark_name_mask) | static_cast<std::uint64_t>(k) << mark_index_bits;
}
constexpr mark_kind kind_of(std::uint64_t mark) noexcept { return static_cast<mark_kind>(mark >> mark_index_bits & 3); }
constexpr std::size_t index_of(std::uint64_t mark) noexcept { return mark & mark_index_mask; }
constexpr std::uint64_t without_index(std::uint64_t mark) noexcept { return mark & ~mark_index_mask; }

class host_marks {
    // A pattern with a longer base is also taken for one of any depth below its last labels, and marks no place further down: a host of
    // many labels costs no more than this.
    static constexpr std::size_t deepest = 16;

public:
    host_marks(std::string_view base, host_pattern::reach how) noexcept : how_{how}
    {
        const bool address = is_address(base); // no name lies below an address
        name_hash hash{0};
        for (std::size_t end = base.size(); count_ < suffixes_.size();) {
            const auto dot = address || end == 0 ? std::string_view::npos : base.rfind('.', end - 1);
            const auto from = dot == std::string_view::npos ? 0 : dot + 1;
            hash.absorb(base.substr(from, end - from));
            suffixes_[count_++] = hash.whole();
            if (from == 0) return;
            end = dot;
        }
    }

    std::uint64_t self() const noexcept { return mark_of(suffixes_[count_ - 1], static_cast<mark_kind>(how_)); }
    // Visits all marks that are kept of the pattern.
    void each_own(auto&& visit) const
    {
        visit(self());
        for (std::size_t i = 1; i < bases(); ++i) visit(mark_of(suffixes_[i], mark_kind::above)); // no pattern has a base of one label
        if (!is_name() && count_ > deepest) visit(mark_of(suffixes_[deepest - 1], mark_kind::any_depth));
    }
    // Visits the marks of patterns that include all of this one.
    void each_around(auto&& visit) const
    {
        if (is_name()) visit(self());
        if (is_name() && count_ > 1) visit(mark_of(suffixes_[count_ - 2], mark_kind::one_label));
        if (how_ == host_pattern::reach::one_label) visit(self());
        for (std::size_t i = 0; i < bases(); ++i) visit(mark_of(suffixes_[i], mark_kind::any_depth));
    }
    // Visits the mark of patterns that this one includes, or may include.
    void each_below(auto&& visit) const
    {
        if (!is_name()) visit(mark_of(suffixes_[std::min(count_, deepest) - 1], mark_kind::above));
    }

private:
    static bool is_address(std::string_view base) noexcept
    {
        const auto last = base.substr(base.rfind('.') + 1); // the last label of a name is not a number (hostname.hpp)
        return base.find(':') != std::string_view::npos || last.find_first_not_of("0123456789") == std::string_view::npos;
    }
    bool is_name() const noexcept { return how_ == host_pattern::reach::exact; }
    std::size_t bases() const noexcept { return std::min(count_ - (is_name() ? 1 : 0), deepest); } // that it lies below, or has itself

    std::array<std::uint64_t, (limits::hostname_octets + 1) / 2> suffixes_; // from the last label to the whole name
    std::size_t count_ = 0;
    host_pattern::reach how_;
};

} // namespace exeat
