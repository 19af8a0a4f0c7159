// Text from outside as a JSON string that is safe to display. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace exeat::ops {

// Appends `text` with quotes (RFC 8259 section 7). Octets that are not UTF-8 (RFC 3629) become U+FFFD; characters that could deceive a
// terminal or a reader (controls, DEL, C1, bidirectional overrides, invisible and line-breaking characters) are written as \u and four
// digits.
void append_json(std::string& out, std::string_view text);

struct code_point {
    char32_t value = 0;
    std::size_t octets = 0; // 0: not UTF-8
};
// The first code point of a text that is not empty.
code_point first_code_point(std::string_view text) noexcept;

// Escapes the same characters in text that is printed without quotes; line feeds and tabs stay.
std::string harmless(std::string_view text);
// The same for a JSON document, which stays valid.
std::string harmless_json(std::string_view document);
// For text that must stay on one line, such as a file name in a message: line feeds and tabs are escaped too.
std::string one_line(std::string_view text);

// Replaces octets that are not UTF-8 by U+FFFD; everything else stays.
std::string valid_utf8(std::string_view text);

} // namespace exeat::ops
