// Request heads in both forms. An accepted head was incomplete at every cut before; what goes upstream for it is a head that reads as the
// same request, and hides nothing behind itself.
#include "property.hpp"

#include <exeat/limits.hpp>
#include <exeat/request_head.hpp>
#include <net/http/http_heads.hpp>

#include <algorithm>
#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

std::size_t count_fields(header_fields fields)
{
    std::size_t n = 0;
    for (header_fields::field f; fields.next(f);) ++n;
    return n;
}

// One CRLF CRLF, at the end, and no other control octet than those of line ends and tabs.
bool one_clean_head(std::string_view head)
{
    if (head.find("\r\n\r\n") != head.size() - 4) return false;
    for (std::size_t i = 0; i < head.size(); ++i) {
        const auto c = static_cast<unsigned char>(head[i]);
        if (c == '\r' && (i + 1 == head.size() || head[i + 1] != '\n')) return false;
        if (c == '\n' && (i == 0 || head[i - 1] != '\r')) return false;
        if (c == 0x7f || (c < 0x20 && c != '\r' && c != '\n' && c != '\t')) return false;
    }
    return true;
}

void check_upstream(const request_head& head)
{
    const auto out = net::head_for_upstream(head);
    must(one_clean_head(out), "the head for the upstream is one head");
    if (out.size() > limits::request_head_bytes || count_fields(head.fields) + 2 >= limits::header_fields) return;
    const auto scan = scan_origin_request(out, head.to.port);
    must(std::holds_alternative<request_head>(scan), "the head for the upstream reads as a request");
    const auto& again = std::get<request_head>(scan);
    must(again.to == head.to && again.method == head.method && again.path == head.path, "it is the same request");
    must(again.body == head.body, "and has the same body");
    must(again.bytes == out.size(), "and ends where it ends");
    must(net::head_for_upstream(again).size() >= out.size(), "nothing that was passed on once is dropped the second time");
}

void check_tunnel(const request_head& head)
{
    const auto authority = head.to.host.authority() + ':' + std::to_string(head.to.port);
    const auto out = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n\r\n";
    const auto scan = scan_proxy_request(out);
    must(std::holds_alternative<request_head>(scan) && std::get<request_head>(scan).to == head.to, "a tunnel's target reads as itself");
    must(head.path.empty() && head.body == body_framing{}, "a tunnel has neither path nor body");
}

template <class Scan> void check(std::string_view in, Scan scan_again)
{
    draws draw{in};
    const request_scan scan = scan_again(in);
    if (const auto* head = std::get_if<request_head>(&scan)) {
        must(head->bytes <= in.size() && head->bytes <= limits::request_head_bytes, "a head is no longer than what was seen and may be");
        for_cuts(head->bytes, draw, [&](std::size_t n) {
            must(std::holds_alternative<need_more>(scan_again(in.substr(0, n))), "a head that is cut asks for more");
        });
        const auto reread = hostname::parse(head->to.host.authority());
        must(reread.has_value() && *reread == head->to.host, "a host is canonical");
        if (head->method == "CONNECT") check_tunnel(*head);
        else check_upstream(*head);
    } else if (std::holds_alternative<refused_head>(scan)) {
        for (const std::string_view more : {"\r\n\r\n", "x", "Host: ok.test\r\n\r\n"})
            must(std::holds_alternative<refused_head>(scan_again(std::string{in} += more)), "a refusal stays, whatever follows");
    } else {
        must(in.size() < limits::request_head_bytes, "there is an end to asking for more");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    check(in, [](std::string_view seen) { return scan_proxy_request(seen); });
    check(in, [](std::string_view seen) { return scan_origin_request(seen, 80); });
    static const auto place = *parse_authority("ok.test:80", approach::http);
    check(in, [](std::string_view seen) { return scan_inside_request(seen, place); });
    return 0;
}
