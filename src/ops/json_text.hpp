// Text from outside as a JSON string that is harmless to look at. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace exeat::ops {

// Appends `text` with quotes (RFC 8259 section 7). Octets that are no UTF-8 (RFC 3629) become U+FFFD; what a terminal or a reader's eye
// could be fooled with (controls, DEL, C1, bidirectional overrides, invisible and line-breaking characters) is written as \uXXXX.
void append_json(std::string& out, std::string_view text);

// Octets that are no UTF-8 become U+FFFD; all else stays.
std::string valid_utf8(std::string_view text);

} // namespace exeat::ops
