"""What is said of a quiet hour: what was done, and that nothing was made of it."""

CUTS = ("budget", "anomaly", "max_age", "policy_revoked", "expired")  # ways in which exeat itself ends a tunnel


def verdicts(record, work, entries, metrics, fired, scraped, anomalies, caught):
    """`work`: what should have been done; `fired`: alerts; `scraped`: the least of `up`; `anomalies`: lines of the log; `caught`: the theft behind all that."""
    for what in sorted(work):
        yield f"{what}: was done", record.well[what] > 0
    yield "no client was refused or cut, nor failed", not record.broken
    yield "there was traffic at every entry", all(metrics.of("exeat_bytes_total", entry=e, direction=d) > 0 for e in entries for d in ("upload", "download"))
    for severity in ("critical", "warning"):
        yield f"no finding of severity {severity}", metrics.of("exeat_anomalies_total", severity=severity) == 0
    yield "the log tells of as many findings", len(anomalies) == metrics.of("exeat_anomalies_total")
    yield "no budget was spent", metrics.of("exeat_budget_exceeded_total") == 0
    yield "no tunnel was cut", sum(metrics.of("exeat_tunnels_closed_total", cause=c) for c in CUTS) == 0
    yield "refused was what phoned home, and nothing else", metrics.of("exeat_denied_total") == metrics.of("exeat_denied_total", reason="not_allowed") == record.well["phones_home"]
    yield "Prometheus has looked all the while", len(scraped) == 1 and float(scraped[0]["value"][1]) == 1
    yield "no alert fired", not fired
    yield "and a theft behind all that is found and rings the pager", bool(caught)
