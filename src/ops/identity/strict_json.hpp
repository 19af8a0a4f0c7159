// JSON whose meaning no reader can doubt: RFC 8259 without comments and trailing commas, UTF-8, bounded in depth, and no name twice in an
// object (RFC 8259 section 4 leaves open which of two values counts, and Boost.JSON keeps the last one). Pure; any thread.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/system/result.hpp>
#include <cstddef>
#include <string>
#include <string_view>

namespace exeat::ops {

// The error is a sentence without its subject: "is not JSON at octet 17: ...".
boost::system::result<boost::json::value, std::string> parse_strict_json(std::string_view text, std::size_t depth);

// The members of an object by name; null: it has none of this name, or none of this type.
const boost::json::object* object_at(const boost::json::object&, std::string_view name) noexcept;
const boost::json::string* text_at(const boost::json::object&, std::string_view name) noexcept;

} // namespace exeat::ops
