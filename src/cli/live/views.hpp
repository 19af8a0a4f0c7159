// The tables that there are to look at, and what each makes of a picture. Pure; any thread.
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
// Those that are tables, what is looked for at 3 a.m. first.
inline constexpr std::array tables{view::findings, view::clients, view::budgets, view::entries, view::denied, view::tunnels};

std::string_view to_string(view) noexcept;
std::optional<view> view_from(std::string_view word) noexcept;

std::string_view nothing_of(view) noexcept;        // "no clients"
std::span<const column> columns_of(view) noexcept; // none of the overview
ordering usual_ordering(view) noexcept;
// By the column of this name, as one begins to sort by it; nothing when the view has none.
std::optional<ordering> ordering_by(view, std::string_view column) noexcept;

table table_of(view, const picture&); // of the last look; empty without one

} // namespace exeat::cli::live
