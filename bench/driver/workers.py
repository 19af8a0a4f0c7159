"""Two workers on two cores beside one worker on one."""
import os

from .lab import ECHO
from .peers import Exeat


def rate_ratio(lab, pairs, seconds):
    """How many times the set-ups of one worker two can do. Where the load has cores of its own the rates are compared; on two cores, which
    it must share, what each set-up costs in CPU time: a worker that is alone with its core does as many in a second as fit into it."""
    apart = os.cpu_count() >= 4
    ratios = []
    for _ in range(pairs):
        one, two = (_run(lab, n, seconds) for n in (1, 2))
        ratios.append(two["rate"] / one["rate"] if apart else 2 * one["cpu"] / two["cpu"])
    return {"ratios": ratios, "by": "rates" if apart else "CPU time"}


def _run(lab, workers, seconds):
    peer = Exeat(lab, cores=range(workers), workers=workers)
    try:
        peer.start()
        said = lab.load(peer.connect(ECHO), "setup", at_once=64 * workers, seconds=seconds, pids=peer.pids())
        return {"rate": said["operations"] / said["seconds"], "cpu": said["cpu_seconds"] / said["operations"]}
    finally:
        peer.stop()
