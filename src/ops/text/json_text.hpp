// Text from outside as a JSON string that is harmless to look at. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace exeat::ops {

// Appends `text` with quotes (RFC 8259 section 7). Octets that are no UTF-8 (RFC 3629) become U+FFFD; what a terminal or a reader's eye
// could be fooled with (controls, DEL, C1, bidirectional overrides, invisible and line-breaking characters) is written as \u and four
// digits.
void append_json(std::string& out, std::string_view text);

struct code_point {
    char32_t value = 0;
    std::size_t octets = 0; // 0: not UTF-8
};
// What a text that is not empty begins with.
code_point first_code_point(std::string_view text) noexcept;

// The same for text that is printed as it is, without quotes; line ends and tabs stay.
std::string harmless(std::string_view text);
// And of a JSON document, which it leaves one.
std::string harmless_json(std::string_view document);
// Where a line must stay one, such as a file's name in a message: line ends and tabs are escaped too.
std::string one_line(std::string_view text);

// Octets that are no UTF-8 become U+FFFD; all else stays.
std::string valid_utf8(std::string_view text);

} // namespace exeat::ops
