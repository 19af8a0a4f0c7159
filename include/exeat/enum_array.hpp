// An array with an element for each value of an enum, indexed by that enum. A value; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

namespace exeat {

template <class Enum, class T, std::size_t Size>
requires std::is_enum_v<Enum>
struct enum_array : std::array<T, Size> {
    using std::array<T, Size>::operator[];
    constexpr T& operator[](Enum at) noexcept { return (*this)[static_cast<std::size_t>(at)]; }
    constexpr const T& operator[](Enum at) const noexcept { return (*this)[static_cast<std::size_t>(at)]; }
};

} // namespace exeat
