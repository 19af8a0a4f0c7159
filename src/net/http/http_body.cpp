#include <net/http/http_body.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace exeat::net {

namespace {

// RFC 9112 section 7.1.
void append_chunk(std::string& out, std::string_view payload)
{
    if (payload.empty()) return; // a chunk of size 0 would end the body
    std::array<char, 16> size;
    const auto end = std::to_chars(size.data(), size.data() + size.size(), payload.size(), 16).ptr;
    out.append(size.data(), end);
    ((out += "\r\n") += payload) += "\r\n";
}

} // namespace

std::size_t http_body::take(std::string_view in, std::string& out)
{
    switch (how_.how) {
    case body_framing::kind::none: return 0;
    case body_framing::kind::chunked: return take_chunks(in, out);
    case body_framing::kind::until_close: out += in; return in.size();
    case body_framing::kind::length: break;
    }
    const auto mine = static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), how_.length));
    out += in.substr(0, mine);
    how_.length -= mine;
    done_ = how_.length == 0;
    return mine;
}

std::size_t http_body::take_chunks(std::string_view in, std::string& out)
{
    std::string payload; // many small chunks become one
    std::size_t used = 0;
    while (!done_ && !malformed_) {
        const auto s = reader_.read(in.substr(used));
        used += s.consumed;
        payload += s.data;
        done_ = s.done;
        malformed_ = s.malformed;
        if (s.consumed == 0) break;
    }
    if (malformed_) return used;
    if (!chunk_out_) {
        out += payload;
        return used;
    }
    append_chunk(out, payload);
    if (done_) out += "0\r\n\r\n";
    return used;
}

} // namespace exeat::net
