// The tables that can be shown, and how they are filled from a picture. Pure; any thread.
#pragma once

#include <cli/live/picture.hpp>
#include <cli/live/table.hpp>
#include <exeat/enum_array.hpp>

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace exeat::cli::live {

enum class view : std::uint8_t { overview, clients, entries, tunnels, budgets, denied, findings };
inline constexpr enum_array<view, std::string_view, 7> view_words{"overview", "clients", "entries", "tunnels",
                                                                  "budgets",  "denied",  "findings"};
// The views that are tables; those that matter most during an incident come first.
inline constexpr std::array tables{view::findings, view::clients, view::budgets, view::entries, view::denied, view::tunnels};

std::string_view to_string(view) noexcept;
std::optional<view> view_from(std::string_view word) noexcept;

std::string_view nothing_of(view) noexcept;        // "no clients"
std::span<const column> columns_of(view) noexcept; // empty for the overview
ordering usual_ordering(view) noexcept;
// The ordering by the column of this name, in its initial direction; empty when the view has no such column.
std::optional<ordering> ordering_by(view, std::string_view column) noexcept;

table table_of(view, const picture&); // from the last look; empty without one

} // namespace exeat::cli::live
