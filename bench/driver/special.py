"""The measurements that are no rounds of a work, each under the name that --only takes."""
import json
import subprocess

from . import calls, held, long_list, scrape, workers
from .peers import Exeat, HAProxy, KernelRelay, Nginx, Squid
from .process import PROXY_CORE, pinned
from .rounds import note

MILLION = 1_000_000


def system_calls(lab, running, quick):
    return calls.of(lab, [p for p in running if not quick or type(p) in (Exeat, KernelRelay)])


def _lines(lab, *argv):
    """What one of our programs prints, a line of JSON each."""
    done = pinned([lab.programs / argv[0], *argv[1:]], {PROXY_CORE}, stdout=subprocess.PIPE, text=True)
    out, _ = done.communicate(timeout=300)
    return [json.loads(line) for line in out.splitlines()]


def decide(lab, _running, _quick):
    note("decide()")
    return _lines(lab, "decide", 10, 1000, MILLION)


def detect(lab, _running, quick):
    note("detectors")
    return _lines(lab, "detect", 200, 2_000, *([] if quick else [100_000]))


def idle(lab, running, quick):
    out = {}
    for kind in (type(p) for p in list(running)):
        if quick and kind not in (Exeat, KernelRelay):
            continue
        with _paused(running, kind):
            out[kind.name] = held.idle(lab, lambda kind=kind: kind(lab), 1000 if quick else 2000)
    return out


def tunnels(lab, running, quick):
    most = held.most_tunnels()
    levels = [most // 4, most] if quick else [most * n // 8 for n in range(1, 9)]
    with _paused(running, Exeat):
        note(f"up to {most} tunnels held")
        return {mode: held.to_the_limit(lab, lambda: Exeat(lab), mode, levels) for mode in (("connect",) if quick else ("connect", "sni"))}


def names(lab, running, quick):
    """Of exeat, and beside it of those peers whose allowlist is a file of names."""
    long_list.place_fresh(lab)
    out = {}
    for kind in (Exeat, HAProxy) if quick else (Exeat, HAProxy, Nginx, Squid):
        if not any(type(p) is kind for p in running):
            continue
        with _paused(running, kind):
            note(f"long lists of {kind.name}")
            counts = [10, MILLION] if quick or kind is not Exeat else [10, 1_000, 100_000, MILLION]
            make = (lambda n, apart: Exeat(lab, names=n, apart=apart)) if kind is Exeat else (lambda n, _, kind=kind: kind(lab, names=n))
            sized = kind is Exeat or not quick  # no bar needs the sizes of another
            at = {"sizes": long_list.sizes(lab, make, counts, 0.2 if quick else 1.0, kind is Exeat) if sized else []}
            peer = kind(lab, names=MILLION)
            peer.start()
            try:
                at["reload"] = vars(long_list.reload(lab, peer, 120))
            finally:
                peer.stop()
            out[kind.name] = at
    return out


def scrapes(lab, running, quick):
    note("scrapes")
    with _paused(running, Exeat):
        peer = Exeat(lab)
        peer.start()
        try:
            return scrape.cost(lab, peer, 5 if quick else 20)
        finally:
            peer.stop()


def two_workers(lab, running, quick):
    note("two workers")
    with _paused(running, Exeat):
        return workers.rate_ratio(lab, 3 if quick else 7, 0.3 if quick else 2.0)


class _paused:
    """A running peer gives its ports to a fresh one of its kind, and has them again afterwards."""

    def __init__(self, running, kind):
        self.of = [p for p in running if type(p) is kind]

    def __enter__(self):
        for p in self.of:
            p.stop()

    def __exit__(self, *_):
        for p in self.of:
            p.start()


EVERY = {"calls": system_calls, "decide": decide, "detect": detect, "idle": idle, "tunnels": tunnels, "names": names, "scrape": scrapes, "workers": two_workers}
