#include <net/http_heads.hpp>

namespace exeat::net {

namespace {

void copy_end_to_end(std::string& out, header_fields fields, bool drop_host, bool drop_length)
{
    const auto all = fields;
    for (header_fields::field f; fields.next(f);) {
        if (hop_by_hop(f.name, all)) continue;
        if (drop_host && equals_ignoring_case(f.name, "host")) continue;
        if (drop_length && equals_ignoring_case(f.name, "content-length")) continue;
        (((out += f.name) += ": ") += f.value) += "\r\n";
    }
}

} // namespace

std::string head_for_upstream(const request_head& r)
{
    constexpr std::uint16_t default_port = 80;
    const bool chunked = r.body.how == body_framing::kind::chunked;
    std::string out{r.method};
    ((out += ' ') += r.path) += " HTTP/1.1\r\nHost: ";
    out += r.to.host.authority();
    if (r.to.port != default_port) (out += ':') += std::to_string(r.to.port);
    out += "\r\n";
    copy_end_to_end(out, r.fields, true, chunked);
    if (chunked) out += "Transfer-Encoding: chunked\r\n";
    return out += "Via: 1.1 exeat\r\n\r\n";
}

std::string head_for_client(const response_head& r, bool chunked, bool close)
{
    std::string out = "HTTP/1.1 " + std::to_string(r.status) + ' ';
    (out += r.reason) += "\r\n";
    // A length beside chunks never gets this far; one that the client would misread does not either.
    copy_end_to_end(out, r.fields, false, r.body.how == body_framing::kind::chunked);
    if (chunked) out += "Transfer-Encoding: chunked\r\n";
    const bool interim = r.status < 200;
    if (!interim) out += close ? "Connection: close\r\n" : "Connection: keep-alive\r\n";
    return out += "Via: 1.1 exeat\r\n\r\n";
}

} // namespace exeat::net
