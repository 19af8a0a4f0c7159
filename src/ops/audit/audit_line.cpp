#include <ops/audit/audit_line.hpp>

#include <exeat/enum_array.hpp>
#include <ops/audit/line_parts.hpp>
#include <ops/detection/detection.hpp>
#include <ops/evidence/checkpoint_text.hpp>
#include <ops/text/json_text.hpp>

#include <algorithm>
#include <fmt/chrono.h>
#include <fmt/compile.h>
#include <iterator>

namespace exeat::ops {

namespace {

using net::audit_action;
using net::audit_record;

constexpr enum_array<net::audit_action, std::string_view, 4> heads{
    R"(,"event.kind":"event","event.category":["network"],"event.type":["connection","start","allowed"],"event.action":"open","event.outcome":")",
    R"(,"event.kind":"event","event.category":["network"],"event.type":["connection","denied"],"event.action":"deny","event.outcome":")",
    R"(,"event.kind":"event","event.category":["network"],"event.type":["connection","info"],"event.action":"progress","event.outcome":")",
    R"(,"event.kind":"event","event.category":["network"],"event.type":["connection","end"],"event.action":"close","event.outcome":")"};

constexpr enum_array<process_event::what, std::string_view, 7> process_heads{
    R"(,"event.kind":"event","event.category":["process"],"event.type":["start"],"event.action":"start","event.outcome":")",
    R"(,"event.kind":"event","event.category":["process"],"event.type":["end"],"event.action":"stop","event.outcome":")",
    R"(,"event.kind":"event","event.category":["configuration"],"event.type":["change"],"event.action":"reload","event.outcome":")",
    R"(,"event.kind":"event","event.category":["process"],"event.type":["info"],"event.action":"withheld","event.outcome":")",
    R"(,"event.kind":"event","event.category":["configuration"],"event.type":["change"],"event.action":"quarantine","event.outcome":")",
    R"(,"event.kind":"alert","event.category":["intrusion_detection"],"event.type":["info"],"event.action":"gap","event.outcome":")",
    R"(,"event.kind":"event","event.category":["process"],"event.type":["info"],"event.action":"resumed","event.outcome":")"};

// A tunnel that an endpoint or the operator ended normally has not failed.
bool orderly(ending e) noexcept
{
    using enum ending;
    return e == finished || e == client_closed || e == idle_timeout || e == drained || e == stopped;
}

bool success(const audit_record& r) noexcept
{
    if (r.action == audit_action::close) return orderly(r.ended);
    return r.action != audit_action::deny;
}

void outcome(std::string& out, const audit_record& r)
{
    out.append(heads[r.action]);
    out.append(success(r) ? "success\"" : "failure\"");
    if (r.action == audit_action::close) word(out, R"(,"event.reason":")", to_string(r.ended));
    else if (r.action != audit_action::progress) word(out, R"(,"event.reason":")", to_string(r.verdict));
    const bool passed = r.action == audit_action::open || r.action == audit_action::close;
    if (passed && r.verdict != verdict::allowed) out.append(R"(,"exeat.reported":true)");
    if (r.action == audit_action::close && r.verdict != verdict::allowed)
        word(out, R"(,"exeat.reported_reason":")", to_string(r.verdict)); // only in a line that sums up requests
    if (r.action == audit_action::deny && r.verdict == verdict::dns_failure)
        word(out, R"(,"exeat.dns.result":")", net::dns_result_words[r.resolved]);
    if (r.stands_for > 1) number(out, R"(,"exeat.audit.stands_for":)", r.stands_for);
}

void destination(std::string& out, const audit_record& r)
{
    if (!r.host.str().empty()) text(out, R"(,"destination.domain":)", r.host.str());
    if (r.host.cut() || r.server_name.cut()) out.append(R"(,"exeat.audit.cut":true)");
    if (r.peer != ip_address{}) address(out, R"(,"destination.ip":")", r.peer);
    if (r.port != 0) number(out, R"(,"destination.port":)", r.port);
}

void volume(std::string& out, const audit_record& r)
{
    const bool moving = r.action == audit_action::progress || r.action == audit_action::close;
    if (!moving && r.upload == 0 && r.download == 0) return;
    number(out, R"(,"source.bytes":)", r.upload);
    number(out, R"(,"destination.bytes":)", r.download);
}

void tls(std::string& out, const audit_record& r)
{
    if (!r.server_name.str().empty()) text(out, R"(,"tls.client.server_name":)", r.server_name.str());
    if (r.ech) out.append(R"(,"exeat.tls.ech":true)");
}

void close(std::string& out, std::size_t begun, audit_chain& chain)
{
    out += '}';
    chain.seal(std::string_view{out}.substr(begun));
    out += '\n';
}

void end(std::string& out, std::size_t begun, audit_chain& chain)
{
    word(out, R"(,"exeat.audit.previous":")", chain.previous());
    close(out, begun, chain);
}

void approvers(std::string& out, const process_event& e)
{
    const auto each = [&](std::string_view key, std::string process_event::approver::*which) {
        out.append(key);
        for (std::size_t i = 0; i < std::min(e.by.size(), limits::told_approvers); ++i)
            text(out, i == 0 ? "" : ",", std::string_view{e.by[i].*which}.substr(0, limits::label_octets));
        out += ']';
    };
    each(R"(,"exeat.policy.approved_by":[)", &process_event::approver::key);
    each(R"(,"exeat.policy.approver_names":[)", &process_event::approver::name);
}

std::string quoted(std::string_view name)
{
    std::string out;
    append_json(out, name);
    return out;
}

} // namespace

audit_line::audit_line(const label_registry& labels, const policy_status& status, std::uint8_t client_prefix,
                       const workload_names* workloads)
    : labels_{labels}, status_{status}, client_prefix_{client_prefix}, workloads_{workloads}
{}

void audit_line::timestamp(std::string& out, std::chrono::system_clock::time_point at)
{
    const auto second = std::chrono::floor<std::chrono::seconds>(at);
    if (second != second_ || second_text_.empty()) {
        second_ = second;
        second_text_ = fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(std::chrono::system_clock::to_time_t(second)));
    }
    const auto micros = std::chrono::floor<std::chrono::microseconds>(at - second).count();
    out.append(second_text_);
    fmt::format_to(std::back_inserter(out), FMT_COMPILE(".{:06}Z"), micros);
}

void audit_line::begin(std::string& out, std::chrono::system_clock::time_point at, const audit_chain& chain)
{
    out.append(R"({"@timestamp":")");
    timestamp(out, at);
    number(out, R"(","event.sequence":)", chain.sequence());
    if (chain.sequence() == torn_line_) out.append(torn_);
}

void audit_line::after_torn(std::string_view fragment, std::uint64_t line)
{
    torn_line_ = fragment.empty() ? 0 : line;
    const auto hash = sha256{}.of(fragment);
    torn_ = fmt::format(R"(,"exeat.audit.torn_octets":{},"exeat.audit.torn_sha256":"{}")", fragment.size(),
                        std::string_view{hash.data(), hash.size()});
}

void audit_line::policy(std::string& out, const audit_record& r)
{
    if (r.rule_slot != label_registry::other_rule || r.rule_id != 0 || r.action != audit_action::deny) {
        out.append(R"(,"rule.name":)");
        out.append(rule(r.rule_slot, r.rule_id));
    }
    if (r.policy != generation_) {
        sha256_ = status_.sha256(r.policy);
        responsible_ = status_.responsible(r.policy);
        generation_ = r.policy;
    }
    if (!sha256_.empty()) word(out, R"(,"rule.version":")", sha256_);
    if (r.action != audit_action::progress) responsible_for(out, r.rule_id);
}

void audit_line::responsible_for(std::string& out, std::uint64_t rule_id) const
{
    if (!responsible_ || rule_id == 0) return;
    const auto known = responsible_->find(rule_id);
    if (known == responsible_->end()) return;
    const auto told = [](const std::string& s) { return std::string_view{s}.substr(0, limits::audit_client_octets); };
    if (!known->second.owner.empty()) text(out, R"(,"exeat.rule.owner":)", told(known->second.owner));
    if (!known->second.ticket.empty()) text(out, R"(,"exeat.rule.ticket":)", told(known->second.ticket));
}

void audit_line::append(std::string& out, const audit_record& r, audit_chain& chain)
{
    const auto begun = out.size();
    begin(out, r.at, chain);
    outcome(out, r);
    fmt::format_to(std::back_inserter(out), FMT_COMPILE(R"(,"event.id":"{:016x}")"), r.id);
    number(out, R"(,"event.duration":)", static_cast<std::uint64_t>(std::max(r.duration.count(), std::chrono::nanoseconds::rep{0})));
    source(out, r);
    destination(out, r);
    volume(out, r);
    tls(out, r);
    policy(out, r);
    word(out, R"(,"exeat.mode":")", net::request_mode_words[r.mode]);
    end(out, begun, chain);
}

void audit_line::append(std::string& out, const process_event& e, audit_chain& chain)
{
    const auto begun = out.size();
    begin(out, e.at, chain);
    out.append(process_heads[e.action]);
    out.append(e.ok ? "success\"" : "failure\"");
    if (!e.text.empty()) text(out, R"(,"message":)", std::string_view{e.text}.substr(0, limits::audit_text_octets));
    if (!e.sha256.empty()) text(out, R"(,"rule.version":)", std::string_view{e.sha256}.substr(0, limits::audit_client_octets));
    if (!e.file.empty()) {
        text(out, R"(,"exeat.policy.file":)", std::string_view{e.file}.substr(0, limits::audit_client_octets));
        approvers(out, e);
    }
    if (e.subject) quarantined(out, *e.subject);
    if (e.stands_for > 0) number(out, R"(,"exeat.audit.stands_for":)", e.stands_for);
    else if (e.action == process_event::what::gap || e.action == process_event::what::resumed)
        number(out, R"(,"exeat.audit.anchored":)", e.anchored);
    else if (e.action != process_event::what::quarantine) number(out, R"(,"exeat.policy.serial":)", e.serial);
    end(out, begun, chain);
}

void audit_line::append(std::string& out, const checkpoint_event& e, audit_chain& chain)
{
    const auto begun = out.size();
    begin(out, e.at, chain);
    out.append(
        R"(,"event.kind":"event","event.category":["process"],"event.type":["info"],"event.action":"checkpoint","event.outcome":"success")");
    word(out, R"(,"event.reason":")", checkpoint_reason_words[e.why]);
    text(out, R"(,"host.name":)", e.host);
    text(out, R"(,"log.file.path":)", e.log);
    if (!e.key.empty()) word(out, R"(,"exeat.audit.key":")", e.key);
    word(out, R"(,"exeat.audit.previous":")", chain.previous());
    const auto signature = e.sign ? e.sign(std::string_view{out}.substr(begun)) : std::string{};
    if (!signature.empty()) append_signature(out, signature);
    close(out, begun, chain);
}

void audit_line::append(std::string& out, const anomaly_event& e, audit_chain& chain)
{
    const auto begun = out.size();
    const auto& facts = detect::about(e.what.which);
    begin(out, e.at, chain);
    out.append(R"(,"event.kind":"alert","event.category":["intrusion_detection"],"event.type":["info"],"event.action":"anomaly")");
    word(out, R"(,"event.reason":")", facts.name);
    fmt::format_to(std::back_inserter(out), FMT_COMPILE(R"(,"event.risk_score":{:.0f})"), e.score);
    found_at(out, e.what.client);
    workload(out, e.what.client);
    out.append(R"(,"exeat.group":)");
    out.append(group(e.group_slot));
    if (e.request != 0) fmt::format_to(std::back_inserter(out), FMT_COMPILE(R"(,"event.id":"{:016x}")"), e.request);
    if (!e.host.empty()) text(out, R"(,"destination.domain":)", e.host);
    if (e.what.entry.id != 0) {
        out.append(R"(,"rule.name":)");
        out.append(rule(e.what.entry.slot, e.what.entry.id));
    }
    word(out, R"(,"threat.technique.id":")", facts.technique);
    word(out, R"(,"exeat.detector.name":")", facts.name);
    word(out, R"(,"exeat.detector.severity":")", detect::severity_words[facts.how]);
    fmt::format_to(std::back_inserter(out), FMT_COMPILE(R"(,"exeat.detector.value":{:.6g},"exeat.detector.threshold":{:.6g})"),
                   e.what.value, e.what.threshold);
    word(out, R"(,"exeat.detector.action":")", detector_action_words[e.action]);
    end(out, begun, chain);
}

const std::string& audit_line::rule(std::uint32_t slot, std::uint64_t id)
{
    if (slot == label_registry::other_rule && id != 0) return unslotted_ = ops::quoted(labels_.rule_name(slot, id));
    if (slot >= rules_.size()) {
        rules_.clear();
        for (const auto& label : labels_.rules()) rules_.push_back(ops::quoted(label.name));
    }
    return rules_[slot < rules_.size() ? slot : label_registry::other_rule];
}

const std::string& audit_line::group(std::uint32_t slot)
{
    if (slot >= groups_.size()) {
        groups_.clear();
        for (const auto& name : labels_.groups()) groups_.push_back(ops::quoted(name));
    }
    return groups_[slot < groups_.size() ? slot : label_registry::no_group];
}

} // namespace exeat::ops
