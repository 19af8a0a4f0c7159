"""Idle tunnels: what each takes in memory, and that as many as the descriptors allow are held."""
import json
import subprocess
import time

from .lab import ECHO
from .process import LOAD_CORE, descriptors_allowed, pinned, pss_bytes
from .rounds import note

WARM = 100  # tunnels that are there already: what the first ones bring is not counted


class Holder:
    """The load generator with tunnels that it keeps open."""

    def __init__(self, lab, way, pids, at_once=64):
        self._process = pinned(lab.load_command(way, "hold", at_once, pids=pids), {LOAD_CORE}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def hold(self, total):
        self._process.stdin.write(f"{total}\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        if said["failed"]:
            raise RuntimeError(f"{total} tunnels could not be held: {said['failure']}")
        return said

    def lost(self):
        """Lets go of all; how many had been closed by the other side before."""
        out, _ = self._process.communicate(timeout=60)
        return json.loads(out.splitlines()[-1])["lost"]


def most_tunnels():
    """Two descriptors each; exeat keeps 128 for itself."""
    return (descriptors_allowed() - 1000) // 2


def idle(lab, make, tunnels):
    """{"connect": bytes of PSS for a tunnel, "sni": …} of a freshly started peer that has seen some thousand connections come and go."""
    out = {}
    for mode in ("connect", "sni"):
        peer = make()
        try:
            peer.start()
            way = getattr(peer, mode)(ECHO)
            if way is None:
                continue
            note(f"idle tunnels of {peer.name}, {mode}")
            levels = _levels(lab, peer, way, [WARM, WARM + tunnels])
            out[mode] = (levels[1]["pss"] - levels[0]["pss"]) / tunnels
        finally:
            peer.stop()
    return out


def to_the_limit(lab, make, mode, levels):
    """A list of {tunnels, pss, setup_us}: memory and set-up cost while more and more are held."""
    peer = make()
    try:
        peer.start()
        return _levels(lab, peer, getattr(peer, mode)(ECHO), levels)
    finally:
        peer.stop()


def _levels(lab, peer, way, levels):
    lab.load(way, "setup", at_once=64, seconds=0.8)  # also fills rings and pools to what they are after a while
    time.sleep(0.3)
    holder, out = Holder(lab, way, peer.pids()), []
    for total in levels:
        said = holder.hold(total)
        time.sleep(0.5)
        out.append({"tunnels": total, "pss": pss_bytes(peer.pids()), "setup_us": said["cpu_seconds"] / said["operations"] * 1e6})
    lost = holder.lost()
    if lost:
        raise RuntimeError(f"{peer.name} lost {lost} idle tunnels")
    return out


def line(levels):
    """Least squares: (bytes for a tunnel, bytes at none)."""
    n = len(levels)
    mx, my = sum(l["tunnels"] for l in levels) / n, sum(l["pss"] for l in levels) / n
    slope = sum((l["tunnels"] - mx) * (l["pss"] - my) for l in levels) / sum((l["tunnels"] - mx) ** 2 for l in levels)
    return slope, my - slope * mx
