// Response heads, as answers to the methods that change what they mean. What goes to the client for an accepted one is a head with the
// same status and fields, and never one that takes more or less of the connection than was read.
#include "property.hpp"

#include <exeat/limits.hpp>
#include <exeat/request_head.hpp>
#include <net/http/http_heads.hpp>

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

void check_for_client(const response_head& head, std::string_view method)
{
    using kind = body_framing::kind;
    const bool chunked = head.body.how == kind::chunked;
    const auto out = net::head_for_client(head, chunked, false);
    must(out.find("\r\n\r\n") == out.size() - 4, "the head for the client is one head");
    if (out.size() > limits::response_head_bytes || count_fields(head.fields) + 3 > limits::header_fields) return;
    const auto scan = scan_response_head(out, method);
    must(std::holds_alternative<response_head>(scan), "the head for the client reads as a response");
    const auto& again = std::get<response_head>(scan);
    must(again.status == head.status && again.reason == head.reason, "it is the same response");
    must(again.body == head.body, "and has the same body");
}

void check(std::string_view in, std::string_view method)
{
    draws draw{in};
    const auto scan = scan_response_head(in, method);
    if (const auto* head = std::get_if<response_head>(&scan)) {
        must(head->bytes <= in.size() && head->bytes <= limits::response_head_bytes, "a head is no longer than what was seen and may be");
        must(head->status >= 100 && head->status <= 599 && head->status != 101, "a status is one that exeat may pass on");
        must(method != "HEAD" || head->body == body_framing{}, "an answer to HEAD has no body");
        for_cuts(head->bytes, draw, [&](std::size_t n) {
            must(std::holds_alternative<need_more>(scan_response_head(in.substr(0, n), method)), "a head that is cut asks for more");
        });
        check_for_client(*head, method);
    } else if (const auto* bad = std::get_if<malformed>(&scan)) {
        must(bad->why == verdict::upstream_malformed, "there is one reason");
        must(std::holds_alternative<malformed>(scan_response_head(std::string{in} + "x\r\n\r\n", method)), "a refusal stays");
    } else {
        must(in.size() < limits::response_head_bytes, "there is an end to asking for more");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    for (const std::string_view method : {"GET", "HEAD"}) check(text(data, size), method);
    return 0;
}
