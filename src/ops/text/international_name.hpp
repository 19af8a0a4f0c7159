// Names beyond ASCII: to A-labels (RFC 5890), back, and as they look to a reader. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace exeat::ops {

// Empty for an invalid name. `name` is UTF-8 for the first, ASCII for the second.
std::string to_a_labels(const std::string& name);
std::u32string from_a_labels(const std::string& name);

// Returns the same text for two names that look alike in the usual fonts.
std::string as_seen(std::u32string_view);

// Letters of other scripts in A-labels that look like Latin ones: "U+0430 looks like 'a'". Empty: there are none.
std::string foreign_letters(const std::string& name);

} // namespace exeat::ops
