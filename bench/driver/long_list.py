"""Lists of a million names: memory, what a set-up costs under them, and what a reload does to those who are being served."""
import dataclasses
import json
import signal
import socket
import subprocess
import threading
import time

from .held import Holder
from .lab import ADDRESSES, ECHO
from .process import LOAD_CORE, forget_peak, peak_bytes, pinned, pss_bytes, rss_bytes
from .rounds import note

PAIRS = 5
FRESH = "fresh.bench.test"  # named only after the reload: the first time it is let through, the reload is done


def name(n):
    return f"host-{n:07d}.service{n % 97}.example.test"


@dataclasses.dataclass
class Reload:
    names: int
    resident: int = 0  # bytes, before
    peak: int = 0
    seconds: float = 0
    longest_wait_ms: float = 0
    quiet_wait_ms: float = 0  # the same without a reload: what the machine does to it
    failed: int = 0
    lost: int = 0
    failure: str = ""


def sizes(lab, make, counts, seconds, together):
    """[{names, pss, setup: [µs of CPU]}]. `together`: each size in a process beside the others, in turns."""
    out = []
    if not together:
        return [at for count in counts for at in sizes(lab, lambda n, _: make(n, 0), [count], seconds, True)]
    running = [make(count, n) for n, count in enumerate(counts, 1)]
    try:
        for peer in running:
            peer.start()
        time.sleep(1)  # for what a peer does after it listens
        out = [{"names": count, "pss": pss_bytes(peer.pids()), "setup": []} for count, peer in zip(counts, running)]
        for turn in range(-1, PAIRS):
            for at, peer in zip(out, running):
                said = lab.load(peer.tunnel(ECHO), "setup", at_once=64, seconds=seconds, pids=peer.pids())
                if turn >= 0:
                    at["setup"].append(said["cpu_seconds"] / said["operations"] * 1e6)
        return out
    finally:
        for peer in running:
            peer.stop()


class Watch(threading.Thread):
    """The memory of a process tree while something happens."""

    def __init__(self, peer):
        super().__init__(daemon=True)
        self.peer, self.peak, self.over = peer, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.03):
            try:
                self.peak = max(self.peak, pss_bytes(self.peer.pids()))
            except OSError:
                pass  # one of them ended meanwhile

    def end(self):
        self.over.set()
        self.join()
        return self.peak


def reload(lab, peer, patience):
    """One set-up after the other goes on all the while, and tunnels are held. (A load that fills the core would measure the scheduler.)"""
    note(f"reload of {peer.names} names by {peer.name}")
    peer.write_list(FRESH)
    way = peer.tunnel(ECHO)
    fresh = dataclasses.replace(way, host=FRESH)
    out = Reload(peer.names, resident=pss_bytes(peer.pids()))
    holder = Holder(lab, way, ())
    holder.hold(100)
    if _let_through(lab, fresh):
        raise RuntimeError(f"{peer.name} lets {FRESH} through before the reload")
    single = len(peer.pids()) == 1
    if single:
        forget_peak(peer.pids()[0])
        before = rss_bytes(peer.pids()[0])
    watch = Watch(peer)
    out.quiet_wait_ms = lab.load(way, "setup", at_once=1, seconds=2)["max_us"] / 1000
    load = pinned(lab.load_command(way, "setup", 1, seconds=3600), {LOAD_CORE}, stdout=subprocess.PIPE, text=True)
    time.sleep(0.7)
    watch.start()
    began = time.monotonic()
    peer.reload()
    while not _let_through(lab, fresh):
        if time.monotonic() - began > patience:
            out.failure = f"the new list was not in force after {patience} s"
            break
        time.sleep(0.02)
    out.seconds = time.monotonic() - began
    time.sleep(0.5)
    out.peak = watch.end()
    if single:
        out.peak, out.resident = peak_bytes(peer.pids()[0]), before
    load.send_signal(signal.SIGINT)
    said = json.loads(load.communicate(timeout=60)[0])
    out.longest_wait_ms, out.failed = said["max_us"] / 1000, said["failed"]
    out.failure = out.failure or said["failure"]
    out.lost = holder.lost()
    return out


def _let_through(lab, way):
    """Whether the name is served now: the hello comes back."""
    hello = lab.hello(way.host).read_bytes()
    try:
        with socket.create_connection(("127.0.0.1", way.port), timeout=30) as s:
            if not way.sni:
                s.sendall(f"CONNECT {way.name} HTTP/1.1\r\nHost: {way.name}\r\n\r\n".encode())
                if b" 200 " not in s.recv(4096).split(b"\r\n")[0]:
                    return False
            s.sendall(hello)
            answer = s.recv(16)
            return answer[:5] == hello[:5] and answer[6:] == hello[6:16]  # the octet between is the type of the message
    except OSError:
        return False


def place_fresh(lab):
    lab.dns.set(FRESH, ADDRESSES[ECHO])
    with open(lab.hosts, "a", encoding="ascii") as f:
        f.write(f"{ADDRESSES[ECHO]} {FRESH}\n")

