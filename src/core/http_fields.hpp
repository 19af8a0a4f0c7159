// The common part of request and response heads: where a head ends, which octets it may contain, and what its fields mean for the message
// (RFC 9112 sections 2, 5 and 6). Private to core; pure; any thread. Views point into the scanned bytes.
#pragma once

#include <exeat/request_head.hpp>

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace exeat {

// The extent of the head in the bytes seen. Only the first `most` bytes count. The first `known` bytes were partial before and are not
// searched again, so that a head that arrives byte by byte costs as much as one in a single piece.
struct head_extent {
    enum class state : std::uint8_t { partial, whole, bare_lf, too_large };
    state is = state::partial;
    std::size_t bytes = 0; // whole: length of the head with its empty line
};
head_extent find_head(std::string_view seen, std::size_t most, std::size_t known = 0) noexcept;

// The first line without its line end; partial while `ended` is false.
struct first_line {
    std::string_view text;
    bool ended = false;
};
first_line find_first_line(std::string_view seen) noexcept;

// Whether to read a partial first line although the head is not whole: each time the input has doubled, so that an invalid head is refused
// early and the total cost stays linear.
bool worth_reading(std::size_t seen, std::size_t known) noexcept;

bool token_octet(char) noexcept; // tchar, RFC 9110 section 5.6.2
bool value_octet(char) noexcept; // HTAB, SP, VCHAR, obs-text
bool is_token(std::string_view) noexcept;
bool is_value(std::string_view) noexcept;

// Removes the next element from a comma-separated list (RFC 9110 section 5.6.1), without white space; false at the end.
bool next_element(std::string_view& list, std::string_view& element) noexcept;

// The relevant facts of one head's field lines, from a single pass.
struct field_facts {
    unsigned hosts = 0, lengths = 0, codings = 0; // number of each field; the value is that of the last one
    std::size_t options = 0, ranges = 0;          // list elements of the Connection and of the Accept fields
    std::string_view host, length, coding;
    bool close = false, keep_alive = false;         // Connection options
    bool websocket = false;                         // Upgrade contains it
    bool json = false;                              // Accept contains application/json
    bool persistent(unsigned minor) const noexcept; // RFC 9112 section 9.3
};

// `block`: the field lines, each with its CRLF. The errors are header, and host_syntax for a Host value with forbidden octets.
boost::system::result<field_facts, verdict> read_fields(std::string_view block) noexcept;

// RFC 9112 section 6.3, without its tolerances; kind::none if no field announces a body. The error is framing.
boost::system::result<body_framing, verdict> announced_body(const field_facts&, unsigned minor) noexcept;

} // namespace exeat
