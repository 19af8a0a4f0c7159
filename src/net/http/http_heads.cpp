#include <net/http/http_heads.hpp>

namespace exeat::net {

namespace {

// What an end-to-end copy leaves out or keeps beyond the usual rules.
struct except {
    bool drop_host = false, drop_length = false, keep_upgrade = false;
};

void copy_end_to_end(std::string& out, header_fields fields, const except& e)
{
    const connection_options options{fields};
    for (header_fields::field f; fields.next(f);) {
        const bool kept = e.keep_upgrade && equals_ignoring_case(f.name, "upgrade");
        if (!kept && hop_by_hop(f.name, options)) continue;
        if (e.drop_host && equals_ignoring_case(f.name, "host")) continue;
        if (e.drop_length && equals_ignoring_case(f.name, "content-length")) continue;
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
    copy_end_to_end(out, r.fields, {.drop_host = true, .drop_length = chunked});
    if (chunked) out += "Transfer-Encoding: chunked\r\n";
    return out += "Via: 1.1 exeat\r\n\r\n";
}

std::string head_for_client(const response_head& r, bool chunked, bool close)
{
    std::string out = "HTTP/1.1 " + std::to_string(r.status) + ' ';
    (out += r.reason) += "\r\n";
    // A length beside chunks was rejected earlier, and so was a length that the client would misread.
    const bool upgrade_required = r.status == 426; // the Upgrade field names the protocol (RFC 9110 section 15.5.22)
    copy_end_to_end(out, r.fields, {.drop_length = r.body.how == body_framing::kind::chunked, .keep_upgrade = upgrade_required});
    if (chunked) out += "Transfer-Encoding: chunked\r\n";
    const bool interim = r.status < 200;
    if (!interim) (out += close ? "Connection: close" : "Connection: keep-alive") += upgrade_required ? ", upgrade\r\n" : "\r\n";
    return out += "Via: 1.1 exeat\r\n\r\n";
}

} // namespace exeat::net
