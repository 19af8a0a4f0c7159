"""System calls for one new connection: strace counts them over some hundred connections, set up, used once and closed."""
import re
import signal
import subprocess
import time

from .lab import ECHO
from .process import LOAD_CORE, pinned
from .rounds import note

CONNECTIONS = 640
_ROW = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.M)


def of(lab, peers):
    out = {}
    for mode in ("connect", "sni"):
        for peer in peers:
            way = getattr(peer, mode)(ECHO)
            if way is not None:
                out.setdefault(mode, {})[peer.name] = _count(lab, peer, way)
    return out


def _count(lab, peer, way):
    """{call: times for a connection}, of the whole process tree."""
    note(f"system calls of {peer.name}, {'SNI' if way.sni else 'CONNECT'}")
    load = [*lab.load_command(way, "setup", 64), "--operations", CONNECTIONS]
    subprocess.run([str(a) for a in load], check=True, capture_output=True, timeout=60)  # caches warm, pools filled
    summary = peer.directory / "strace"
    attach = [argument for pid in peer.pids() for argument in ("-p", pid)]
    strace = pinned(["strace", "-f", "-c", "-U", "time,total-time,avg-time,calls,errors,name", "-o", summary, *attach], {LOAD_CORE},
                    stderr=subprocess.PIPE, text=True)
    strace.stderr.readline()  # "Process N attached"
    try:
        subprocess.run([str(a) for a in load], check=True, capture_output=True, timeout=60)
        time.sleep(0.3)  # the last ends
    finally:
        strace.send_signal(signal.SIGINT)
        strace.communicate(timeout=30)
    calls = {name: int(n) / CONNECTIONS for n, name in _ROW.findall(summary.read_text()) if name != "total"}
    return {name: n for name, n in sorted(calls.items(), key=lambda c: -c[1]) if n >= 0.005}
