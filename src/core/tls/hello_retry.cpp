#include <exeat/tls/hello_retry.hpp>

#include <exeat/limits.hpp>

#include <algorithm>

namespace exeat {

namespace {

using bytes = std::span<const std::byte>;

constexpr unsigned change_cipher_spec = 20, alert = 21, handshake = 22, application_data = 23; // RFC 8446 section 5.1
constexpr unsigned server_hello_message = 2, warning = 1, fatal = 2, close_notify = 0, tls_major = 3;
constexpr std::size_t alert_bytes = 2, handshake_header = 4;
constexpr std::size_t protected_record_bytes = limits::record_bytes + 256; // RFC 8446 section 5.2

// The random of a ServerHello that is a HelloRetryRequest: SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3).
constexpr std::array<std::uint8_t, 32> retry_random{0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                                    0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                                    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

unsigned octet(bytes b, std::size_t at) noexcept { return std::to_integer<unsigned>(b[at]); }
std::size_t record_size(bytes header) noexcept { return std::size_t{octet(header, 3)} << 8 | octet(header, 4); }

// Whether a record of this type may have this size.
bool fits(unsigned type, std::size_t size) noexcept
{
    switch (type) {
    case change_cipher_spec: return size == 1;
    case alert: return size == alert_bytes; // neither fragmented nor combined (RFC 8446 section 5.1)
    case handshake: return size > 0 && size <= limits::record_bytes;
    case application_data: return size > 0 && size <= protected_record_bytes;
    default: return false;
    }
}

verdict check(const client_hello& hello, const hello_watch::agreed& to) noexcept
{
    if (!permits(to.ech, hello.hidden)) return verdict::ech;
    return hello.server_name && *hello.server_name == to.name ? verdict::allowed : verdict::sni_changed;
}

} // namespace

void hello_watch::refuse(verdict why) noexcept
{
    if (refused_ == verdict::allowed) refused_ = why;
    phase_ = phase::ended;
}

void hello_watch::first_hello_passed(hidden_hello hidden, bool early_data) noexcept
{
    seen_ = hidden;
    early_data_ = early_data;
    phase_ = phase::first_answer;
}

hello_watch::step hello_watch::from_client(bytes held, const agreed& to)
{
    step s;
    while (watching()) {
        const auto n = next(held.subspan(s.pass), to);
        if (n == 0) break;
        s.pass += n;
    }
    if (phase_ == phase::over) return {held.size()};
    if (refused_ != verdict::allowed) return {0, refused_};
    return s;
}

std::size_t hello_watch::next(bytes rest, const agreed& to)
{
    if (rest.empty()) return 0;
    const bool counted = phase_ == phase::second_hello;
    const bool begins_hello = octet(rest, 0) == handshake || phase_ == phase::first_hello;
    const auto n = begins_hello ? hello(rest, to) : other_record(rest);
    if (!counted) return n;
    flight_ += n;
    const bool beyond = flight_ > limits::retry_flight_bytes || (n == 0 && flight_ + rest.size() >= limits::retry_flight_bytes);
    if (beyond) refuse(verdict::tls_malformed);
    return n;
}

// The only handshake message that a client sends before the ServerHello is a hello, and the second only after a HelloRetryRequest.
std::size_t hello_watch::hello(bytes rest, const agreed& to)
{
    const bool expected = phase_ == phase::first_hello || phase_ == phase::second_hello;
    if (!expected || client_done_) return refuse(verdict::tls_malformed), 0;
    const auto scan = scan_client_hello(rest);
    if (const auto* bad = std::get_if<malformed>(&scan)) return refuse(bad->why), 0;
    const auto* said = std::get_if<client_hello>(&scan);
    if (!said) return 0;
    if (const auto why = check(*said, to); why != verdict::allowed) return refuse(why), 0;
    seen_ = std::max(seen_, said->hidden);
    const bool first = phase_ == phase::first_hello;
    early_data_ = first && said->early_data; // early data that a retry rejected ends with the second hello (RFC 8446 section 4.2.10)
    phase_ = first ? phase::first_answer : phase::second_answer;
    return said->bytes;
}

// change_cipher_spec (RFC 8446 appendix D.4), an alert, or early data.
std::size_t hello_watch::other_record(bytes rest) noexcept
{
    const auto type = octet(rest, 0);
    const bool known = type == change_cipher_spec || type == alert || (type == application_data && early_data_);
    const bool wrong_version = rest.size() > 1 && octet(rest, 1) != tls_major;
    if (!known || wrong_version || client_done_) return refuse(verdict::tls_malformed), 0;
    if (rest.size() < record_header) return 0;
    const auto size = record_size(rest);
    if (!fits(type, size)) return refuse(verdict::tls_malformed), 0;
    if (rest.size() < record_header + size) return 0;
    if (type == application_data) return record_header + size;
    const auto content = rest.subspan(record_header, size);
    const auto first = octet(content, 0);
    const bool wrong = type == alert ? first != warning && first != fatal : first != 1;
    if (wrong || ++client_side_records_ > limits::hello_side_records) return refuse(verdict::tls_malformed), 0;
    client_done_ = type == alert && (first == fatal || octet(content, 1) == close_notify);
    return record_header + size;
}

verdict hello_watch::from_server(bytes said) noexcept
{
    if (!said.empty() && phase_ == phase::first_hello) refuse(verdict::tls_malformed);
    while (!said.empty() && watching()) said = said.subspan(record_left_ == 0 ? read_header(said) : read_fragment(said));
    return refused_;
}

// Reads one octet of a record header. A server whose first octets are not TLS will not do a handshake: its text may reach the client.
std::size_t hello_watch::read_header(bytes said) noexcept
{
    header_[header_octets_++] = said.front();
    const auto type = octet(header_, 0);
    const bool no_tls = type < change_cipher_spec || type > application_data || (header_octets_ > 1 && octet(header_, 1) != tls_major);
    const bool cuts_message = type != handshake && (start_octets_ > 0 || message_left_ > 0); // RFC 8446 section 5.1
    if (no_tls && first_record_) phase_ = phase::ended;
    else if (no_tls || type == application_data || cuts_message) refuse(verdict::tls_malformed);
    else if (header_octets_ == header_.size()) begin_record();
    return 1;
}

void hello_watch::begin_record() noexcept
{
    const auto type = octet(header_, 0);
    const auto size = record_size(header_);
    header_octets_ = 0;
    first_record_ = false;
    if (!fits(type, size)) return refuse(verdict::tls_malformed);
    if (type != handshake && ++server_side_records_ > limits::hello_side_records) return refuse(verdict::tls_malformed);
    record_left_ = static_cast<std::uint16_t>(size);
}

std::size_t hello_watch::read_fragment(bytes said) noexcept
{
    const auto fragment = said.first(std::min<std::size_t>(record_left_, said.size()));
    const auto type = octet(header_, 0);
    const bool first = record_left_ == record_size(header_);
    record_left_ = static_cast<std::uint16_t>(record_left_ - fragment.size());
    if (type == handshake) read_messages(fragment);
    else if (type == alert && first && octet(fragment, 0) == fatal) phase_ = phase::ended;
    else if (first && octet(fragment, 0) != 1) refuse(verdict::tls_malformed); // neither a warning nor change_cipher_spec
    return fragment.size();
}

void hello_watch::read_messages(bytes fragment) noexcept
{
    while (!fragment.empty() && watching()) {
        const bool known = message_left_ > 0;
        const auto n = std::min(known ? message_left_ : start_.size() - start_octets_, fragment.size());
        if (known) message_left_ -= n;
        else std::copy_n(fragment.begin(), n, start_.begin() + start_octets_);
        fragment = fragment.subspan(n);
        if (known) continue;
        start_octets_ = static_cast<std::uint8_t>(start_octets_ + n);
        read_answer();
    }
}

// Checks as much of start_ as has arrived: it must be a ServerHello, which may be a HelloRetryRequest once (RFC 8446 section 4.1.4).
void hello_watch::read_answer() noexcept
{
    if (octet(start_, 0) != server_hello_message) return refuse(verdict::tls_malformed);
    if (start_octets_ < handshake_header) return;
    const auto size = handshake_header + (std::size_t{octet(start_, 1)} << 16 | std::size_t{octet(start_, 2)} << 8 | octet(start_, 3));
    if (size < start_.size()) return refuse(verdict::tls_malformed);
    if (start_octets_ < start_.size()) return;
    const bool retry = std::equal(retry_random.begin(), retry_random.end(), start_.begin() + before_random,
                                  [](std::uint8_t a, std::byte b) { return a == std::to_integer<std::uint8_t>(b); });
    const bool first = phase_ == phase::first_answer;
    if (retry ? !first : !first && phase_ != phase::second_answer) return refuse(verdict::tls_malformed);
    phase_ = retry ? phase::second_hello : phase::over;
    message_left_ = size - start_.size();
    start_octets_ = 0;
}

} // namespace exeat
