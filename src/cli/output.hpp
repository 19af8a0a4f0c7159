// All verbs print through these functions. Characters that could deceive a terminal or a reader (controls except line feeds and tabs, C1,
// bidirectional overrides, invisible characters) are written like \u001b, whether they come from a file, a name or a log. Main thread only.
#pragma once

#include <ops/text/json_text.hpp> // one_line()

#include <boost/json/value.hpp>

#include <fmt/color.h>
#include <fmt/core.h>
#include <string_view>
#include <utility>

namespace exeat::cli {

// Call before anything is opened: otherwise the next file would get the number of a standard descriptor that the caller has closed.
void hold_standard_descriptors() noexcept;

void write_out(std::string_view text);
void write_painted(const fmt::text_style&, std::string_view text);
void write_error(std::string_view text);
void print_as_json(const boost::json::value&); // stays valid JSON, on a line of its own

template <class... T> void print_out(fmt::format_string<T...> how, T&&... what) { write_out(fmt::format(how, std::forward<T>(what)...)); }
template <class... T> void print_error(fmt::format_string<T...> how, T&&... what)
{
    write_error(fmt::format(how, std::forward<T>(what)...));
}

// The last call in main(): returns `code`, or a failure when the output could not be written completely.
int after_output(int code);

} // namespace exeat::cli
