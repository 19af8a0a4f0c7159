#include <exeat/tls/client_hello.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace exeat {

namespace {

using bytes = std::span<const std::byte>;

constexpr std::size_t record_header = 5;    // type, version, length
constexpr std::size_t handshake_header = 4; // type, length
constexpr unsigned handshake_record = 22, client_hello_message = 1, ssl3_major = 3;

std::size_t number(bytes b) noexcept
{
    std::size_t n = 0;
    for (const auto octet : b) n = n << 8 | std::to_integer<std::size_t>(octet);
    return n;
}

std::string_view text(bytes b) noexcept { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

// Reads the presentation language of RFC 8446 section 3. A read past the end makes the reader fail; then every read is empty.
class reader {
public:
    explicit reader(bytes b) noexcept : rest_{b} {}

    bytes take(std::size_t n) noexcept
    {
        if (n > rest_.size()) return fail();
        const auto taken = rest_.first(n);
        rest_ = rest_.subspan(n);
        return taken;
    }
    std::size_t integer(std::size_t octets) noexcept { return number(take(octets)); }
    bytes vector(std::size_t length_octets) noexcept { return take(integer(length_octets)); }
    bool at_end() const noexcept { return rest_.empty(); }
    bool failed() const noexcept { return failed_; }

private:
    bytes fail() noexcept
    {
        failed_ = true;
        rest_ = {};
        return {};
    }
    bytes rest_;
    bool failed_ = false;
};

struct record {
    bytes fragment;   // the part that has arrived
    std::size_t size; // the length in its header
};

// Applies the record layer to the bytes seen (RFC 8446 section 5.1): walks the records without copying until the hello is whole.
class record_walk {
public:
    explicit record_walk(bytes seen) noexcept : seen_{seen} {}

    enum class state : std::uint8_t { more, whole, not_tls, bad };
    state measure() noexcept;

    std::size_t records() const noexcept { return records_; }
    std::size_t taken() const noexcept { return at_; }        // bytes of whole records
    std::size_t message() const noexcept { return message_; } // bytes of the handshake message, once known; else 0

private:
    state next() noexcept;
    state learn(bytes fragment) noexcept;

    bytes seen_;
    std::size_t at_ = 0, records_ = 0, gathered_ = 0, message_ = 0;
    std::array<std::byte, handshake_header> header_{}; // may itself be split over records
};

// Checks the message's header as soon as it has arrived: the type, and a length within the limit.
record_walk::state record_walk::learn(bytes fragment) noexcept
{
    if (gathered_ >= header_.size()) return state::more;
    const auto n = std::min(fragment.size(), header_.size() - gathered_);
    std::copy_n(fragment.begin(), n, header_.begin() + static_cast<std::ptrdiff_t>(gathered_));
    if (gathered_ + n > 0 && std::to_integer<unsigned>(header_[0]) != client_hello_message) return state::bad;
    if (gathered_ + n < header_.size()) return state::more;
    message_ = header_.size() + number(bytes{header_}.subspan(1));
    return message_ > limits::client_hello_bytes ? state::bad : state::more;
}

record_walk::state record_walk::next() noexcept
{
    const auto rest = seen_.subspan(at_);
    if (!rest.empty() && std::to_integer<unsigned>(rest[0]) != handshake_record) return at_ == 0 ? state::not_tls : state::bad;
    if (rest.size() > 1 && std::to_integer<unsigned>(rest[1]) != ssl3_major) return state::bad;
    if (rest.size() < record_header) return state::more;
    const auto size = number(rest.subspan(3, 2));
    if (size == 0 || size > limits::record_bytes) return state::bad;
    const auto fragment = rest.subspan(record_header, std::min(size, rest.size() - record_header));
    if (learn(fragment) == state::bad) return state::bad;
    // The hello must end with its record: anything else in the record would be forwarded unread.
    if (message_ != 0 && gathered_ + size > message_) return state::bad;
    if (fragment.size() < size) return state::more;
    gathered_ += size;
    at_ += record_header + size;
    ++records_;
    return gathered_ == message_ ? state::whole : state::more;
}

record_walk::state record_walk::measure() noexcept
{
    for (;;) {
        const auto before = at_;
        const auto now = next();
        if (now != state::more || at_ == before) return now;
    }
}

std::size_t reassemble(bytes records, std::span<std::byte> into) noexcept
{
    std::size_t n = 0;
    for (reader r{records}; !r.at_end();) {
        r.take(record_header - 2);
        const auto fragment = r.vector(2);
        std::copy(fragment.begin(), fragment.end(), into.begin() + static_cast<std::ptrdiff_t>(n));
        n += fragment.size();
    }
    return n;
}

// Extension types.
constexpr std::size_t server_name_type = 0;
constexpr std::size_t pre_shared_key_type = 41;
constexpr std::size_t early_data_type = 42;
constexpr std::size_t ech_type = 0xfe0d;  // RFC 9849
constexpr std::size_t esni_type = 0xffce; // draft-ietf-tls-esni-02

constexpr malformed broken{verdict::tls_malformed};

// RFC 6066 section 3, as servers read it: one name, of the only type that exists; literal addresses are not permitted.
std::optional<malformed> read_server_name(bytes data, client_hello& into)
{
    constexpr std::size_t host_name_type = 0;
    reader outer{data};
    reader list{outer.vector(2)};
    if (outer.failed() || !outer.at_end()) return broken;
    const auto type = list.integer(1);
    const auto name = list.vector(2);
    if (list.failed() || !list.at_end() || type != host_name_type || name.empty()) return broken;
    auto host = hostname::parse(text(name));
    if (!host || host->address()) return malformed{verdict::host_syntax};
    into.server_name = std::move(*host);
    return std::nullopt;
}

// ECHClientHello (RFC 9849 section 5).
hidden_hello read_ech(bytes data)
{
    constexpr std::size_t outer_kind = 0, kdf_and_aead = 4, config_id = 1;
    reader r{data};
    const auto kind = r.integer(1);
    r.take(kdf_and_aead + config_id);
    const auto key = r.vector(2), payload = r.vector(2);
    const bool outer = !r.failed() && r.at_end() && kind == outer_kind && !key.empty() && !payload.empty();
    return outer ? hidden_hello::outer : hidden_hello::other;
}

class extension_types {
public:
    // False for a type seen before (RFC 8446 section 4.2), and when there are too many to remember.
    bool add(std::size_t type) noexcept
    {
        const auto end = types_.begin() + static_cast<std::ptrdiff_t>(count_);
        if (count_ == types_.size() || std::find(types_.begin(), end, type) != end) return false;
        types_[count_++] = static_cast<std::uint16_t>(type);
        return true;
    }

private:
    std::array<std::uint16_t, limits::hello_extensions> types_; // only the first count_ are set
    std::size_t count_ = 0;
};

std::optional<malformed> read_extensions(bytes block, client_hello& into)
{
    extension_types types;
    for (reader r{block}; !r.at_end();) {
        const auto type = r.integer(2);
        const auto data = r.vector(2);
        if (r.failed() || !types.add(type)) return broken;
        if (type == pre_shared_key_type && !r.at_end()) return broken; // must be the last one (RFC 8446 section 4.2.11)
        if (type == ech_type) into.hidden = std::max(into.hidden, read_ech(data));
        if (type == esni_type) into.hidden = hidden_hello::other;
        if (type == early_data_type) into.early_data = true;
        if (type != server_name_type) continue;
        if (const auto bad = read_server_name(data, into)) return bad;
    }
    return std::nullopt;
}

// Reads the message, with its header (RFC 8446 section 4.1.2). Every length must fill its container exactly.
hello_scan read_message(bytes message, std::size_t taken)
{
    constexpr std::size_t random_octets = 32, session_id_octets = 32;
    client_hello hello;
    hello.bytes = taken;
    reader r{message.subspan(handshake_header)};
    const auto major = r.integer(1);
    r.take(1 + random_octets);
    const auto session_id = r.vector(1);
    const auto cipher_suites = r.vector(2);
    const auto compression = r.vector(1);
    if (r.failed() || major != ssl3_major || session_id.size() > session_id_octets) return broken;
    if (cipher_suites.empty() || cipher_suites.size() % 2 != 0 || compression.empty()) return broken;
    if (r.at_end()) return hello; // TLS 1.2 without extensions (RFC 5246 section 7.4.1.2)
    const auto extensions = r.vector(2);
    if (r.failed() || !r.at_end()) return broken;
    if (const auto bad = read_extensions(extensions, hello)) return *bad;
    return hello;
}

hello_scan read_split(bytes records)
{
    std::array<std::byte, limits::client_hello_bytes> whole; // only what reassemble() sets is read
    const auto n = reassemble(records, whole);
    return read_message(bytes{whole}.first(n), records.size());
}

} // namespace

hello_scan scan_client_hello(std::span<const std::byte> seen)
{
    using state = record_walk::state;
    const bool last_chance = seen.size() >= limits::held_hello_bytes;
    if (last_chance) seen = seen.first(limits::held_hello_bytes);
    record_walk walk{seen};
    switch (walk.measure()) {
    case state::not_tls: return malformed{verdict::not_tls};
    case state::bad: return broken;
    case state::more:
        if (last_chance) return broken;
        return need_more{};
    case state::whole: break;
    }
    const auto records = seen.first(walk.taken());
    if (walk.records() == 1) return read_message(records.subspan(record_header), records.size());
    return read_split(records);
}

} // namespace exeat
