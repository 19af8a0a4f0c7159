// The one way in which a verb prints. What a terminal or a reader's eye could be fooled with (controls but for line ends and tabs, C1,
// bidirectional overrides, invisible characters) is written as \u001b, whoever put it into a file, a name or a log. Main thread only.
#pragma once

#include <ops/text/json_text.hpp> // one_line()

#include <boost/json/value.hpp>

#include <fmt/color.h>
#include <fmt/core.h>
#include <string_view>
#include <utility>

namespace exeat::cli {

// Before anything is opened: a standard descriptor that the caller closed would otherwise be the next file's.
void hold_standard_descriptors() noexcept;

void write_out(std::string_view text);
void write_painted(const fmt::text_style&, std::string_view text);
void write_error(std::string_view text);
void print_as_json(const boost::json::value&); // still JSON, and a line of its own

template <class... T> void print_out(fmt::format_string<T...> how, T&&... what) { write_out(fmt::format(how, std::forward<T>(what)...)); }
template <class... T> void print_error(fmt::format_string<T...> how, T&&... what)
{
    write_error(fmt::format(how, std::forward<T>(what)...));
}

// Whoever reads the output has all of it, or the exit code says so: the last thing that main() asks.
int after_output(int code);

} // namespace exeat::cli
