// Names beyond ASCII: as A-labels (RFC 5890), back, and as the eye takes them. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace exeat::ops {

// Empty for what is no valid name of that kind. `name` is UTF-8 for the first, ASCII for the second.
std::string to_a_labels(const std::string& name);
std::u32string from_a_labels(const std::string& name);

// The same text for two names that look alike in the usual fonts.
std::string as_seen(std::u32string_view);

// Letters of other scripts that look like Latin ones: "U+0430 looks like 'a'". Empty: there are none. Takes A-labels.
std::string foreign_letters(const std::string& name);

} // namespace exeat::ops
