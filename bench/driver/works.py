"""The works: what one operation is, and how the load does it through a peer."""
import dataclasses
import typing

from .lab import DENIED, ECHO, SINK, SOURCE


@dataclasses.dataclass(frozen=True)
class Work:
    name: str
    title: str
    load: str  # --work of the load generator
    way: typing.Callable  # of a peer; None: it cannot do this
    at_once: int = 64
    bulk: bool = False  # counts bytes: CPU in seconds for a GB, not in microseconds for an operation


def _denied(way):
    return lambda peer: way(peer) if peer.can_deny else None


WORKS = [
    Work("connect", "new CONNECT tunnel + 1 echo", "setup", lambda p: p.connect(ECHO)),
    Work("sni", "new SNI connection + 1 echo", "setup", lambda p: p.sni(ECHO)),
    Work("denied_connect", "denied CONNECT", "denied", _denied(lambda p: p.connect(DENIED))),
    Work("denied_sni", "denied SNI", "denied", _denied(lambda p: p.sni(DENIED))),
    Work("http", "plain HTTP request, client keep-alive", "http", lambda p: p.web() if p.keeps_alive else None),
    Work("http_close", "plain HTTP request, a connection each", "http_close", lambda p: p.web()),
    Work("echo", "64-byte echo over 64 tunnels", "echo", lambda p: p.tunnel(ECHO)),
    *(Work(f"{load}_{n}", f"{load}, {n} tunnel{'s' if n > 1 else ''}", load, lambda p, host=host: p.tunnel(host), n, bulk=True)
      for n in (1, 8) for load, host in (("upload", SINK), ("download", SOURCE))),
]
BY_NAME = {w.name: w for w in WORKS}


@dataclasses.dataclass(frozen=True)
class Sample:
    """One run of one work through one peer."""
    cost: float  # microseconds of CPU for an operation, or seconds for a GB
    rate: float  # operations a second, or GB a second
    p50_us: float
    p99_us: float
    failed: int
    failure: str


def sample(work, said):
    done = said["bytes"] / 1e9 if work.bulk else said["operations"]
    if not done:
        raise RuntimeError(f"nothing was done: {said}")
    cost = said["cpu_seconds"] / done * (1 if work.bulk else 1e6)
    return Sample(cost, done / said["seconds"], said["p50_us"], said["p99_us"], said["failed"], said["failure"])
