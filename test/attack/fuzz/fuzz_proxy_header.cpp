// The PROXY protocol header. One that is accepted was nothing but incomplete at every cut before, stands alone, and says the same
// whatever comes behind it; a refusal stays one, whatever follows.
#include "property.hpp"

#include <exeat/limits.hpp>
#include <exeat/proxy_header.hpp>

#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

bool same(const proxy_header& a, const proxy_header& b)
{
    if (a.bytes != b.bytes || a.client.has_value() != b.client.has_value()) return false;
    return !a.client || (a.client->source == b.client->source && a.client->port == b.client->port);
}

void check_accepted(std::string_view in, const proxy_header& header)
{
    draws draw{in};
    must(header.bytes > 0 && header.bytes <= in.size(), "a header is no longer than what was seen");
    must(header.bytes <= limits::proxy_header_bytes, "a header is bounded");
    for_cuts(header.bytes, draw, [&](std::size_t n) {
        must(std::holds_alternative<need_more>(scan_proxy_header(in.substr(0, n))), "a header that is cut asks for more");
    });
    for (const std::string_view more : {"", "\r\n", "PROXY TCP4 ", "\x16\x03\x01"}) {
        const auto longer = scan_proxy_header(std::string{in.substr(0, header.bytes)} += more);
        must(std::holds_alternative<proxy_header>(longer), "a header stands alone");
        must(same(std::get<proxy_header>(longer), header), "and says the same, whatever follows");
    }
    if (in.front() != 'P' || !header.client) return;
    const auto source = header.client->source.to_string();
    must(ip_address::parse(source) == header.client->source, "an address is canonical");
    const auto& v4 = header.client->source;
    must(!v4.is_v4() || in.find(source) < header.bytes || in.substr(0, 10) == "PROXY TCP6", "an IPv4 address stands in the line");
}

void check_refused(std::string_view in, verdict why)
{
    must(why == verdict::proxy_header, "a refusal has its reason");
    for (const std::string_view more : {"\r\n", " 1 2\r\n", "\r\n\r\n", "PROXY UNKNOWN\r\n"}) {
        const auto later = scan_proxy_header(std::string{in} += more);
        must(std::holds_alternative<malformed>(later), "a refusal stays, whatever follows");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    const auto scan = scan_proxy_header(in);
    if (const auto* header = std::get_if<proxy_header>(&scan)) check_accepted(in, *header);
    else if (const auto* bad = std::get_if<malformed>(&scan)) check_refused(in, bad->why);
    else must(in.size() < limits::proxy_header_bytes, "there is an end to asking for more");
    return 0;
}
