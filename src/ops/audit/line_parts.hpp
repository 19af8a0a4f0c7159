// Append the members of a JSON object to a line; `key` includes its comma, quotes and colon. Throw std::bad_alloc; any thread.
#pragma once

#include <exeat/ip_address.hpp>
#include <exeat/quarantine.hpp>
#include <ops/text/json_text.hpp>

#include <cstdint>
#include <fmt/compile.h>
#include <fmt/format.h>
#include <iterator>
#include <string>
#include <string_view>

namespace exeat::ops {

inline void number(std::string& out, std::string_view key, std::uint64_t value)
{
    const fmt::format_int digits{value};
    out.append(key);
    out.append(digits.data(), digits.size());
}

inline void word(std::string& out, std::string_view key, std::string_view value) // `value` needs no escaping
{
    out.append(key);
    out.append(value);
    out += '"';
}

inline void text(std::string& out, std::string_view key, std::string_view value)
{
    out.append(key);
    append_json(out, value);
}

void quarantined(std::string& out, const quarantine&); // audit_line_client.cpp

inline void address(std::string& out, std::string_view key, const ip_address& a)
{
    out.append(key);
    if (a.is_v4()) {
        const auto v4 = a.as_v4();
        fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}.{}.{}.{}"), v4 >> 24, v4 >> 16 & 0xff, v4 >> 8 & 0xff, v4 & 0xff);
    } else out.append(a.to_string());
    out += '"';
}

} // namespace exeat::ops
