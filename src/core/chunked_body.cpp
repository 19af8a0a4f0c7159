#include <exeat/chunked_body.hpp>

#include <core/http_fields.hpp>

#include <algorithm>
#include <limits>

namespace exeat {

namespace {

static_assert(limits::chunk_size_digits < 16, "a size fits into 64 bits");
static_assert(limits::chunk_line_bytes < std::numeric_limits<std::uint16_t>::max());
static_assert(limits::trailer_bytes < std::numeric_limits<std::uint16_t>::max());

// The value of a hexadecimal digit, or -1.
int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

} // namespace

// chunk-size [ chunk-ext ] CRLF. White space around the size, signs and prefixes are malformed.
chunk_reader::at chunk_reader::size_octet(char c) noexcept
{
    if (++line_ > limits::chunk_line_bytes) return at::bad;
    if (at_ == at::size_lf) return c != '\n' ? at::bad : left_ == 0 ? at::trailer_start : at::data;
    if (at_ == at::extension) return c == '\r' ? at::size_lf : value_octet(c) ? at::extension : at::bad;
    if (const int digit = hex_value(c); digit >= 0) {
        if (++digits_ > limits::chunk_size_digits) return at::bad;
        left_ = left_ << 4 | static_cast<unsigned>(digit);
        return at::size;
    }
    if (at_ == at::size_start) return at::bad;
    return c == '\r' ? at::size_lf : c == ';' ? at::extension : at::bad;
}

// *( field-line CRLF ) CRLF
chunk_reader::at chunk_reader::trailer_octet(char c) noexcept
{
    if (++trailer_ > limits::trailer_bytes) return at::bad;
    if (at_ == at::end_lf) return c == '\n' ? at::done : at::bad;
    if (at_ == at::trailer_lf) return c == '\n' ? at::trailer_start : at::bad;
    if (at_ == at::trailer_value) return c == '\r' ? at::trailer_lf : value_octet(c) ? at::trailer_value : at::bad;
    if (token_octet(c)) return at::trailer_name;
    if (at_ == at::trailer_start) return c == '\r' ? at::end_lf : at::bad;
    return c == ':' ? at::trailer_value : at::bad;
}

void chunk_reader::take(char c) noexcept
{
    switch (at_) {
    case at::size_start:
    case at::size:
    case at::extension:
    case at::size_lf: at_ = size_octet(c); break;
    case at::data_cr: at_ = c == '\r' ? at::data_lf : at::bad; break;
    case at::data_lf:
        at_ = c == '\n' ? at::size_start : at::bad;
        digits_ = 0, line_ = 0;
        break;
    case at::trailer_start:
    case at::trailer_name:
    case at::trailer_value:
    case at::trailer_lf:
    case at::end_lf: at_ = trailer_octet(c); break;
    case at::data:
    case at::done:
    case at::bad: break;
    }
}

chunk_reader::step chunk_reader::read(std::string_view in) noexcept
{
    step s;
    while (s.consumed < in.size() && at_ != at::data && at_ != at::done && at_ != at::bad) take(in[s.consumed++]);
    if (at_ == at::data) {
        s.data = in.substr(s.consumed, static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - s.consumed)));
        s.consumed += s.data.size();
        left_ -= s.data.size();
        if (left_ == 0) at_ = at::data_cr;
    }
    s.done = at_ == at::done;
    s.malformed = at_ == at::bad;
    return s;
}

} // namespace exeat
