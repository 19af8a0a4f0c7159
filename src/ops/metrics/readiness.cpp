#include <ops/metrics/readiness.hpp>
#include <ops/text/utc.hpp>

namespace exeat::ops {

std::string reporting_text(const policy& rules)
{
    const auto& s = rules.settings();
    std::string whose;
    for (const auto& g : rules.groups())
        if (g.report && !s.report) whose += (whose.empty() ? "of " : ", ") + g.name;
    return whose + (whose.empty() ? "until " : " until ") + utc(s.report_until);
}

namespace {

void judge_policy(readiness& out, const policy& rules, wall_time now)
{
    const auto& settings = rules.settings();
    if (rules.rules().empty()) out.reasons.emplace_back("the allowlist is empty: everything is denied");
    if (settings.expires <= now) out.reasons.push_back("policy expired at " + utc(settings.expires));
    if (rules.reporting(now)) out.warnings.push_back("report mode " + reporting_text(rules));
}

void judge_approvals(readiness& out, const approval_state& a)
{
    if (a.from_copy)
        out.warnings.emplace_back(
            "the list on the disk is not what was approved, and the copy that was accepted last is enforced in its place");
    if (!a.copy_error.empty()) out.warnings.push_back("a restart could not serve the list from its copy: " + a.copy_error);
    std::size_t told = 0;
    for (const auto& f : a.ignored)
        if (f.why != ignored_why::waiting && ++told <= limits::ignored_files) out.warnings.push_back(f.path + " is ignored: it " + f.text);
    if (told > limits::ignored_files)
        out.warnings.push_back(std::to_string(told - limits::ignored_files) + " more files of that directory are ignored");
}

void judge_audit(readiness& out, const audit_state& audit)
{
    if (audit.healthy) return;
    const bool denies = audit.on_failure == audit_failure::deny;
    (denies ? out.reasons : out.warnings).push_back("audit log failing: " + audit.error);
}

} // namespace

readiness judge_readiness(const policy_status::view& status, const machine_state& machine, wall_time now)
{
    readiness out;
    if (status.draining) out.reasons.emplace_back("draining");
    if (!status.started) out.reasons.emplace_back("not started");
    if (status.rules) judge_policy(out, *status.rules, now);
    else out.reasons.emplace_back("no policy");
    judge_audit(out, machine.audit);
    judge_approvals(out, status.approvals);
    if (!status.last_error.empty()) out.warnings.push_back("last reload failed: " + status.last_error);
    if (!status.waiting.empty()) out.warnings.push_back("a changed list is not in force yet: " + status.waiting);
    if (!machine.dns_servers_named)
        out.warnings.emplace_back(
            "/etc/resolv.conf names no DNS server, those that were known last are asked; fix it, or write 'servers' in [dns]");
    if (!machine.quarantine_error.empty())
        out.warnings.push_back("what is quarantined cannot be read and stays as it was: " + machine.quarantine_error);
    return out;
}

std::string readiness::to_string() const
{
    std::string text = ready() ? "ready\n" : "";
    for (const auto& r : reasons) text += "not ready: " + r + "\n";
    for (const auto& w : warnings) text += "warning: " + w + "\n";
    return text;
}

} // namespace exeat::ops
