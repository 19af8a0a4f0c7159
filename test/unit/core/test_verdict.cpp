#include <exeat/verdict.hpp>

#include <doctest/doctest.h>
#include <set>
#include <string>

using namespace exeat;

namespace {

template <class Look> void each_verdict(Look&& look)
{
    for (std::size_t i = 0; i < verdicts; ++i) look(static_cast<verdict>(i));
}

} // namespace

TEST_CASE("a verdict's word is its own and leads back to it")
{
    std::set<std::string_view> words;
    each_verdict([&words](verdict v) {
        CHECK(words.insert(to_string(v)).second);
        CHECK(verdict_from(to_string(v)) == v);
    });
    CHECK_FALSE(verdict_from(""));
    CHECK_FALSE(verdict_from("Allowed"));
    CHECK_FALSE(verdict_from("not_allowed "));
}

TEST_CASE("words are fit for metric labels, header fields and JSON")
{
    each_verdict([](verdict v) {
        CHECK(to_string(v).find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
        CHECK(proxy_error(v).find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    });
}

TEST_CASE("only what is allowed has a status of success")
{
    each_verdict([](verdict v) {
        CAPTURE(to_string(v));
        if (v == verdict::allowed) CHECK(http_status(v) == 200);
        else CHECK((http_status(v) >= 400 && http_status(v) <= 504));
    });
}

TEST_CASE("statuses are the promised ones")
{
    CHECK(http_status(verdict::host_syntax) == 400);
    CHECK(http_status(verdict::connect_body) == 400);
    CHECK(http_status(verdict::head_too_large) == 431);
    CHECK(http_status(verdict::head_timeout) == 408);
    CHECK(http_status(verdict::hello_timeout) == 408);
    CHECK(http_status(verdict::proxy_header) == 400);
    CHECK(http_status(verdict::proxy_sender) == 403);
    CHECK(http_status(verdict::identity_required) == 403); // 407 only where a client could answer it
    CHECK(http_status(verdict::not_allowed) == 403);
    CHECK(http_status(verdict::addr_class) == 403);
    CHECK(http_status(verdict::sni_mismatch) == 403);
    CHECK(http_status(verdict::dns_failure) == 502);
    CHECK(http_status(verdict::dns_overload) == 503);
    CHECK(http_status(verdict::connect_failure) == 502);
    CHECK(http_status(verdict::connect_timeout) == 504);
    CHECK(http_status(verdict::upstream_malformed) == 502);
    CHECK(http_status(verdict::overload) == 503);
    CHECK(http_status(verdict::rate) == 429); // RFC 6585 section 4
    CHECK(http_status(verdict::audit_unavailable) == 503);
    CHECK(http_status(verdict::policy_revoked) == 403);
}

TEST_CASE("every refusal has an error type that RFC 9209 registers")
{
    const std::set<std::string_view> registered{"http_request_error",  "http_request_denied", "destination_ip_prohibited",
                                                "proxy_loop_detected", "dns_error",           "connection_refused",
                                                "connection_timeout",  "http_protocol_error", "proxy_internal_response"};
    each_verdict([&registered](verdict v) {
        CAPTURE(to_string(v));
        CHECK(registered.contains(proxy_error(v)) == (v != verdict::allowed));
    });
}

TEST_CASE("alerts tell a name that is not allowed from other policy, from bytes that cannot be read, from trouble")
{
    for (const auto v : {verdict::not_allowed, verdict::ip_literal, verdict::denied_by_rule, verdict::sni_missing, verdict::sni_mismatch})
        CHECK(tls_alert(v) == 112);
    for (const auto v :
         {verdict::ech, verdict::port_not_allowed, verdict::addr_class, verdict::policy_expired, verdict::source_not_allowed})
        CHECK(tls_alert(v) == 49);
    for (const auto v : {verdict::tls_malformed, verdict::not_tls, verdict::host_syntax}) CHECK(tls_alert(v) == 50);
    for (const auto v : {verdict::dns_failure, verdict::connect_timeout, verdict::overload, verdict::audit_unavailable})
        CHECK(tls_alert(v) == 80);
}

TEST_CASE("explanations are sentences of their own without a full stop")
{
    std::set<std::string_view> seen;
    each_verdict([&seen](verdict v) {
        const auto text = explanation(v);
        CAPTURE(text);
        CHECK(text.size() > 20);
        CHECK(text.back() != '.');
        CHECK(seen.insert(text).second);
        CHECK(text.find_first_of("\"\\\r\n") == std::string_view::npos);
    });
}

TEST_CASE("report mode lets pass only what the lists alone would refuse")
{
    const std::set<verdict> passing{verdict::not_allowed, verdict::port_not_allowed, verdict::protocol_not_allowed, verdict::budget};
    each_verdict([&passing](verdict v) { CHECK(reportable(v) == passing.contains(v)); });
}
