#include <exeat/enum_array.hpp>
#include <net/wall_clock.hpp>
#include <ops/metrics/metric_families.hpp>

#include <array>

namespace exeat::ops {

namespace {

double seconds(wall_time t) { return static_cast<double>(t.time_since_epoch().count()); }

void entries(families& all, const policy& rules)
{
    auto& expires = new_gauge(all, "entry_expires_timestamp_seconds", "When an allowlist entry ends; only for entries that do.");
    for (const auto& r : rules.rules())
        if (r.expires != never) add(expires, seconds(r.expires), {{"entry", r.name}});
}

// Without labels: these two numbers are enough to prove the log's lines up to that point.
void collect_checkpoints(families& all, const audit_checkpoints& points)
{
    if (const auto mark = points.published(); mark.sequence > 0) {
        add(new_gauge(all, "audit_checkpoint_sequence", "Number of the audit log's line at its last checkpoint."), mark.sequence);
        add(new_gauge(all, "audit_checkpoint_hash",
                      "The first 52 bits of that line's SHA-256; exeat verify --anchor SEQUENCE:HASH compares."),
            mark.hash);
    }
    const auto counts = points.counts();
    auto& made = new_counter(all, "audit_checkpoints_total",
                             "Checkpoints of the audit log: signed; unsigned, for there is no key; failed, for the key did not sign.");
    add(made, counts.is_signed, {{"result", "signed"}});
    add(made, counts.is_not, {{"result", "unsigned"}});
    add(made, counts.failed, {{"result", "failed"}});
    add(new_counter(all, "audit_gaps_total",
                    "Starts that found the audit log other than its anchor in state: lines were removed or changed meanwhile."),
        counts.gaps);
}

void approvals(families& all, const approval_state& a)
{
    enum_array<ignored_why, std::uint64_t, ignored_words.size()> ignored{};
    for (const auto& f : a.ignored) ++ignored[f.why];
    auto& files =
        new_gauge(all, "policy_ignored_files",
                  "Files of allowlist.d that count for nothing, where lists must be approved: unnamed, by the manifest or a grant; "
                  "grant, not approved or not fitting; waiting for more signatures; revoked; revocation, by nobody who is trusted.");
    for (std::size_t why = 0; why < ignored.size(); ++why) add(files, ignored[why], {{"why", std::string{ignored_words[why]}}});
    add(new_gauge(all, "policy_revoked_digests", "Files that were revoked and are remembered until their revocation ends."),
        std::uint64_t{a.revoked});
    add(new_gauge(all, "policy_from_copy",
                  "1: the list on the disk was refused, and the copy that was accepted last is enforced in its place."),
        a.from_copy ? 1.0 : 0.0);
    add(new_gauge(all, "policy_copy_stored", "1: the approved list in force is stored whole in 'state', so that a restart can serve it."),
        a.copy_stored ? 1.0 : 0.0);
}

} // namespace

void collect_policy(families& all, const metric_sources& from)
{
    const auto status = from.policy.now();
    auto& reloads =
        new_counter(all, "policy_reloads_total", "Reloads of the allowlist, whether it had changed or not; a failed one changed nothing.");
    add(reloads, status.reloads_ok, {{"result", "ok"}});
    for (std::size_t why = 1; why < load_refusals; ++why)
        add(reloads, status.reloads_refused[why], {{"result", std::string{load_result_words[why]}}});
    add(new_gauge(all, "policy_last_reload_success", "1: the last load of the allowlist succeeded."), status.last_reload_ok ? 1.0 : 0.0);
    add(new_gauge(all, "policy_last_reload_success_timestamp_seconds", "When a load of the allowlist last succeeded."),
        seconds(status.last_success));
    add(new_gauge(all, "policy_former_lists", "Lists that were replaced and that a worker still holds; each costs its memory."),
        std::uint64_t{status.former});
    approvals(all, status.approvals);
    if (!status.rules) return;
    const auto& settings = status.rules->settings();
    add(new_gauge(all, "policy_info", "What is enforced; always 1."), 1.0,
        {{"sha256", settings.sha256},
         {"serial", std::to_string(settings.serial)},
         {"mode", status.rules->reporting(net::wall_now()) ? "report" : "enforce"}});
    add(new_gauge(all, "policy_expires_timestamp_seconds", "When everything will be denied because the allowlist has expired; 0: never."),
        settings.expires == never ? 0.0 : seconds(settings.expires));
    add(new_gauge(all, "policy_entries", "Entries of the allowlist, of every kind."), std::uint64_t{status.rules->rules().size()});
    entries(all, *status.rules);
}

void collect_audit(families& all, const metric_sources& from)
{
    const auto counts = from.audit.counts();
    auto& events =
        new_counter(all, "audit_events_total",
                    "Audit log lines: written; retried, had to wait because a write failed (and were written since, or will be); withheld, "
                    "denials and reports of progress that got none because the log's volume was nearly full.");
    add(events, counts.written, {{"result", "written"}});
    add(events, counts.retried, {{"result", "retried"}});
    add(events, counts.withheld, {{"result", "withheld"}});
    add(new_counter(all, "audit_summed_total", "Denials and plain-HTTP exchanges that share a line of the audit log with others."),
        sum(from, [](const net::counters& c) -> const net::counter& { return c.audit_summed; }));
    add(new_counter(all, "audit_events_dropped_total", "Events that are in no audit log: no room, or still unwritten at the end."),
        counts.dropped + sum(from, [](const net::counters& c) -> const net::counter& { return c.audit_dropped; }));
    add(new_counter(all, "audit_errors_total", "Failed attempts to open, write or rotate the audit log."), counts.errors);
    add(new_gauge(all, "audit_volume_low", "1: the audit log's volume is nearly full, and what was refused gets no lines."),
        from.audit.low_on_space() ? 1.0 : 0.0);
    add(new_gauge(all, "audit_healthy", "1: the audit log can be written."), from.audit.healthy() ? 1.0 : 0.0);
    add(new_gauge(all, "audit_held_tunnels", "Tunnels and exchanges whose upload waits now, because the audit log cannot be written."),
        sum(from, [](const net::counters& c) -> const net::counter& { return c.audit_held; }));
    if (const auto* points = from.audit.checkpoints()) collect_checkpoints(all, *points);
}

} // namespace exeat::ops
