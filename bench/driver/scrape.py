"""What a scrape of /metrics costs when there are many series."""
import time

from .lab import ECHO
from .process import cpu_seconds, thread_cpu_seconds, wait_until

RULES, GROUPS = 1990, 16


def write_allowlist(peer):
    lines = [peer.allowlist.read_text()]
    lines += [f'[groups.group-{n}]\nsources = ["10.{n}.0.0/16"]' for n in range(GROUPS - 1)]
    lines += [f'[[allow]]\nname = "entry-{n}"\nhosts = ["host-{n}.example.test"]\nexpires = 2099-01-01T00:00:00Z' for n in range(RULES)]
    new = peer.allowlist.with_suffix(".new")
    new.write_text("\n".join(lines))
    new.rename(peer.allowlist)


def cost(lab, peer, times=20):
    """{series, ms: CPU of the process for a scrape, worker_ms: of that, on a thread that serves tunnels}."""
    write_allowlist(peer)
    wait_until(lambda: 'entry="entry-7"' in peer.fetch("/metrics")[1], 30, "the long list is in force")
    busiest = _workers(lab, peer)
    series = sum(1 for line in peer.fetch("/metrics")[1].splitlines() if not line.startswith("#"))
    pids = peer.pids()
    idle_began, idle_cpu = time.monotonic(), cpu_seconds(pids)
    time.sleep(0.5)
    idle_rate = (cpu_seconds(pids) - idle_cpu) / (time.monotonic() - idle_began)
    before, cpu, began = thread_cpu_seconds(pids[0]), cpu_seconds(pids), time.monotonic()
    for _ in range(times):
        peer.fetch("/metrics")
    took, cpu, after = time.monotonic() - began, cpu_seconds(pids) - cpu, thread_cpu_seconds(pids[0])
    worker = sum(after[t][1] - before[t][1] for t in busiest)
    return {"series": series, "ms": (cpu - idle_rate * took) / times * 1e3, "worker_ms": worker / times * 1e3}


def _workers(lab, peer):
    """The threads that tunnels run on: those whose time grows under load."""
    pid = peer.pids()[0]
    before = thread_cpu_seconds(pid)
    lab.load(peer.connect(ECHO), "setup", at_once=16, seconds=0.3)
    spent = {t: seconds - before[t][1] for t, (_, seconds) in thread_cpu_seconds(pid).items() if t in before}
    return [t for t, s in spent.items() if s > 0.5 * max(spent.values())]
