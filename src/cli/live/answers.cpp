#include <cli/live/answers.hpp>

#include <cli/live/answer_part.hpp>

#include <boost/json/parse.hpp>

namespace exeat::cli::live {

namespace {

namespace json = boost::json;

moved bytes_of(answer_part& o) { return {o.count("upload_bytes"), o.count("download_bytes")}; }

shown_policy policy(answer_part o)
{
    return {o.text("sha256"),          o.count("serial"),     o.text("mode"), o.time_or_null("report_until"),
            o.time_or_null("expires"), o.texts("approved_by")};
}

shown_denial denial(answer_part o) { return {o.text("reason"), o.count("total")}; }

shown_client client(answer_part o)
{
    return {o.text("client"),          bytes_of(o), o.count("denied"), o.count("tunnels_active"), o.number("anomaly_score"),
            o.time_or_null("last_cut")};
}

shown_entry entry(answer_part o) { return {o.text("entry"), o.text("purpose"), bytes_of(o)}; }

shown_budget budget(answer_part o)
{
    return {o.text_or_null("client_name"), o.text_or_null("entry"), o.text_or_null("purpose"), o.text("window"),
            o.count("used_bytes"),         o.count("limit_bytes"),  o.number("share")};
}

shown_finding finding(answer_part o)
{
    return {o.time("at"),          o.text("detector"),      o.text("severity"), o.text("action"),      o.text("technique"),
            o.text("client_name"), o.text_or_null("entry"), o.number("value"),  o.number("threshold"), o.number("score")};
}

std::string host_and_port(const std::string& host, std::uint64_t port)
{
    return host.find(':') == host.npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

shown_tunnel tunnel(answer_part o)
{
    return {o.text("id"),
            host_and_port(o.text("client"), o.count("client_port")),
            o.text("group"),
            o.text("entry"),
            o.text("purpose"),
            o.text("mode"),
            host_and_port(o.text("host"), o.count("port")),
            o.text("address"),
            o.seconds("age_seconds"),
            bytes_of(o),
            o.flag("ech"),
            o.flag("throttled")};
}

void read_totals(status_answer& s, answer_part o)
{
    s.allowed = o.count("requests_allowed");
    s.denied = o.count("requests_denied");
    s.tunnels = o.count("tunnels_active");
    s.upload = o.count("upload_bytes");
    s.download = o.count("download_bytes");
}

void read_audit(status_answer& s, answer_part o)
{
    s.audit_healthy = o.flag("healthy");
    s.audit_dropped = o.count("dropped");
}

status_answer status(answer_part o)
{
    status_answer s;
    s.version = o.text("version");
    s.now = o.time("now");
    s.uptime = o.seconds("uptime_seconds");
    s.ready = o.flag("ready");
    s.draining = o.flag("draining");
    s.reasons = o.texts("reasons");
    s.warnings = o.texts("warnings");
    if (auto p = o.object_or_null("policy")) s.policy = policy(*p);
    read_totals(s, o.object("totals"));
    read_audit(s, o.object("audit"));
    s.denials = o.list("denied", denial);
    s.clients = o.list("clients", client);
    s.clients_known = o.count("clients_known");
    s.entries = o.list("entries", entry);
    s.budgets = o.list("budgets", budget);
    auto anomalies = o.object("anomalies");
    s.findings_total = anomalies.count("total");
    s.findings = anomalies.list("recent", finding);
    return s;
}

tunnels_answer tunnels(answer_part o)
{
    return {o.count("page"), o.count("pages"), o.count("total"), o.count("matching"), o.flag("complete"), o.list("tunnels", tunnel)};
}

template <class Answer> boost::system::result<Answer, std::string> read(std::string_view text, charset can, Answer (*as)(answer_part))
{
    using outcome = boost::system::result<Answer, std::string>;
    boost::system::error_code failed;
    const auto all = json::parse({text.data(), text.size()}, failed);
    if (failed) return outcome{boost::system::in_place_error, "it is no JSON"};
    reading r{can, {}};
    auto out = as({all, "", r});
    if (!r.wrong.empty()) return outcome{boost::system::in_place_error, std::move(r.wrong)};
    return outcome{boost::system::in_place_value, std::move(out)};
}

} // namespace

boost::system::result<status_answer, std::string> read_status(std::string_view json, charset can) { return read(json, can, status); }

boost::system::result<tunnels_answer, std::string> read_tunnels(std::string_view json, charset can) { return read(json, can, tunnels); }

} // namespace exeat::cli::live
