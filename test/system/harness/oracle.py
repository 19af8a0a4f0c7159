"""Whether something was really refused: judged by what left the machine, by the one count and the one line, not by the reply."""
import contextlib

from .wait import wait_until

FIELDS = {"@timestamp", "event.sequence", "event.action", "event.outcome", "event.reason", "event.id", "event.duration", "source.ip", "source.port",
          "exeat.mode", "exeat.group", "rule.version", "exeat.audit.previous"}


@contextlib.contextmanager
def refused(lab, exeat, reason, *, resolves=(), dials=(), count=1):
    """Around requests that must be refused with `reason`, `count` of them. Only the names in `resolves` may be looked up, only the addresses in
    `dials` may see a SYN, and no origin may see a byte. Yields a list that the audit lines are put into."""
    lines = exeat.settled()
    sent = lab.bytes_at_origins()
    asked, before = lab.dns.mark(), exeat.metrics()
    lab.topology.forget_dialled()
    told = []
    yield told
    rose = lambda name, **labels: exeat.metrics().of(name, **labels) - before.of(name, **labels)
    wait_until(lambda: rose("exeat_denied_total", reason=reason) >= count,
               what=f"denied_total{{reason={reason}}} rises; rose: {risen(before, exeat.metrics())}")
    wait_until(lambda: len(exeat.audit(lines, event__action="deny")) >= count, what="an audit line says so")
    exeat.settled()  # so that what may not be has had its time
    told.extend(exeat.audit(lines, event__action="deny"))
    assert rose("exeat_denied_total") == rose("exeat_denied_total", reason=reason) == count, risen(before, exeat.metrics())
    assert [line["event.reason"] for line in told] == [reason] * count, told
    for line in told:
        assert FIELDS <= line.keys() and line["event.outcome"] == "failure", line
    assert not exeat.audit(lines, event__action="open")
    assert {name for name, _, _ in lab.dns.queries[asked:]} <= set(resolves), "looked up, though not allowed"
    assert {a for a, _ in lab.topology.dialled()} <= set(dials), "dialled, though not allowed"
    assert lab.bytes_at_origins() == sent, "a client's bytes reached an origin"


def risen(before, after):
    return {(name, *sorted(labels)): value - before.get((name, labels), 0) for (name, labels), value in after.items()
            if name in ("exeat_denied_total", "exeat_requests_total") and value != before.get((name, labels), 0)}
