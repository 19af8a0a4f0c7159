"""The rows of the table of thefts over the wire: what was left of the budget by the rules of exeat-detection(7), what arrived, and what is said of it."""
import dataclasses

MIB = 1 << 20
WRITTEN = 24 * MIB  # the budget of an hour that the entries of purpose push have
TOTAL = 8 * MIB  # the one over all clients
HOURLY = {"pull": 4 * MIB, "api": 64 * MIB, "telemetry": 96 * MIB, "push": WRITTEN}
A_TUNNEL, TUNNELS_AN_HOUR, SHARE = 12 * 1024, 512, 1000  # of a pull: what each tunnel brings, how many do, and the part of a download


@dataclasses.dataclass
class Row:
    theft: str
    purpose: str
    number: int
    clients: int = 1
    total: bool = False
    replicas: int = 1  # that it goes through; each has the budget
    # ---- measured
    opened: int = 0  # tunnels or requests that came to the origin
    came_down: int = 0
    arrived: int = 0  # on the wire to the origin
    counted: int = 0  # by exeat
    cut_after: float = None
    log_after: float = None
    metric_after: float = None

    @property
    def left(self):
        """No start here knows what was before it, so half of a budget counts as spent."""
        budgets = self.clients * self.replicas
        most = budgets * HOURLY[self.purpose] // 2
        if self.purpose == "pull":
            most += A_TUNNEL * min(self.opened, TUNNELS_AN_HOUR * budgets) + self.came_down // SHARE
        return min(most, TOTAL // 2) if self.total else most

    @property
    def beyond(self):
        return max(0, self.arrived - self.left)


def verdicts(rows, done, failed):
    """`done`, `failed`: of the honest work."""
    for r in rows:
        what = f"{r.theft}, {r.purpose}"
        yield f"{what}: not a byte beyond", r.beyond == 0
        yield f"{what}: counted as the wire saw it ({r.counted} and {r.arrived})", r.counted == r.arrived
        yield f"{what}: it was a theft, until the budget stopped it", 0.95 * r.left <= r.arrived and r.cut_after is not None
        yield f"{what}: found in the log and in the metrics", None not in (r.log_after, r.metric_after)
    yield "honest work went on", bool(done) and all(done.values())
    yield f"and nothing of it was cut or refused ({'; '.join(failed) or 'nothing'})", not failed


def amount(octets):
    return f"{octets:,}"


def after(seconds):
    return "–" if seconds is None else f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def table(rows):
    yield "| theft | purpose | budget left | arrived | beyond it | counted by exeat | cut after | in the log after | in the metrics after |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for r in rows:
        beyond = amount(r.beyond)
        yield f"| {r.theft} | {r.purpose} | {amount(r.left)} | {amount(r.arrived)} | {beyond} | {amount(r.counted)} | {after(r.cut_after)} | {after(r.log_after)} | {after(r.metric_after)} |"
