"""The bar: what exeat promises in figures of one run, each held against what this run measured."""
import dataclasses
import statistics
import typing

from . import held
from .rounds import spread

MET, MISSED, NONE = "met", "missed", "not measured"


@dataclasses.dataclass(frozen=True)
class Bar:
    work: str
    text: str
    most: float
    value: typing.Callable  # of the figures: (median, least, most), a number, or None
    least: bool = False  # `most` is a lower bound
    peers: tuple = ()  # whom exeat is held against

    def verdict(self, figures):
        value = self.value(figures)
        if value is None:
            return NONE, None
        mid = value[0] if isinstance(value, tuple) else value
        return (MET if (mid >= self.most if self.least else mid <= self.most) else MISSED), value


def against(work, peer, most, field="cost", least=False, title=None):
    sign = "≥" if least else "≤"
    what = {"cost": "", "rate": "rate ", "p99_us": "p99 "}[field]
    return Bar(title or work, f"{what}{sign} {most:g} × {peer}", most, lambda f: f.ratio(work, "exeat", peer, field), least, (peer,))


def fixed(work, text, most, value, least=False):
    def safe(figures):
        try:
            return value(figures.special)
        except (KeyError, IndexError, TypeError, statistics.StatisticsError):
            return None
    return Bar(work, text, most, safe, least)


def best_bulk(work):
    """The ratio to the better of the kernel relay and HAProxy made to splice, by their medians."""
    fastest = ("kernel relay", "haproxy-splice")

    def value(f):
        known = [(statistics.median(f.of(work, p)), p) for p in fastest if f.of(work, p)]
        return f.ratio(work, "exeat", min(known)[1]) if known else None
    return Bar(work, "≤ 1.1 × the better of kernel relay and haproxy-splice", 1.10, value, peers=fastest)


def lowest_p99(f):
    others = [statistics.median(v) for p in f.samples.get("connect", {}) if p not in ("exeat", "kernel relay") and (v := f.of("connect", p, "p99_us"))]
    mine = f.of("connect", "exeat", "p99_us")
    return statistics.median(mine) / min(others) if mine and others else None


def _exeat(s):
    return s["names"]["exeat"]


def _size(s, names):
    return next(at for at in _exeat(s)["sizes"] if at["names"] == names)


def _pairs(s):
    few, many = _size(s, 10)["setup"], _size(s, 1_000_000)["setup"]
    return spread([m / f for f, m in zip(few, many)])


def _decide(names):
    return lambda s: next(at["ns"] for at in s["decide"] if at["names"] == names)


def of_a_tunnel(f, detect):
    """In percent: the detectors' look at its two records, of the CPU time of a CONNECT tunnel in the same run."""
    cost = f.of("connect", "exeat")
    return (detect["open_ns"] + detect["close_ns"]) / 10 / statistics.median(cost) if cost else None


def of_bulk(f, detect):
    """In percent: a record for each 64 MiB."""
    cost = f.of("upload_1", "exeat")
    return detect["progress_ns"] / 1e7 / (statistics.median(cost) * 0.067108864) if cost else None


def detectors(clients):
    def value(f):
        at = next((d for d in f.special.get("detect", []) if d["clients"] == clients), None)
        return at and of_a_tunnel(f, at)
    return Bar("detect", f"≤ 1 % of a CONNECT tunnel with {clients:,} clients", 1, value, peers=())


def _flat(s):
    levels = s["tunnels"]["connect"]
    return levels[-1]["setup_us"] / levels[0]["setup_us"]


BARS = [
    against("connect", "kernel relay", 1.20), against("connect", "squid", 0.5), against("connect", "haproxy", 0.95),
    against("sni", "kernel relay", 1.15), against("sni", "nginx", 1.0),
    against("denied_connect", "squid", 0.25), against("denied_connect", "haproxy", 1.0), against("denied_sni", "nginx", 1.0),
    Bar("denied", "names that were refused are never looked up", 0, lambda f: f.denied_lookups),
    against("http", "haproxy", 1.0), against("http_close", "nginx", 0.95),
    *(best_bulk(f"{way}_{n}") for n in (1, 8) for way in ("upload", "download")),
    *(against(f"{way}_{n}", "kernel relay", 0.95, "rate", least=True) for n in (1, 8) for way in ("upload", "download")),
    against("echo", "kernel relay", 1.10), against("echo", "haproxy", 0.97),
    against("connect", "kernel relay", 1.3, "p99_us"), Bar("connect", "p99 the lowest of all peers (ratio to the next)", 1.0, lowest_p99),
    fixed("idle", "CONNECT ≤ 1.5 KiB", 1.5, lambda s: s["idle"]["exeat"]["connect"] / 1024),
    fixed("idle", "SNI ≤ 1.2 KiB", 1.2, lambda s: s["idle"]["exeat"]["sni"] / 1024),
    fixed("decide", "≤ 100 ns at 10 names", 100, _decide(10)), fixed("decide", "≤ 250 ns at 1,000,000 names", 250, _decide(1_000_000)),
    detectors(200), detectors(2_000),
    fixed("names", "1,000,000 add ≤ 50 MiB", 50, lambda s: (_size(s, 1_000_000)["pss"] - _size(s, 10)["pss"]) / 2**20),
    fixed("names", "set-up ≤ 1.05 × that at 10 names", 1.05, _pairs),
    fixed("names", "reload ≤ 0.9 × haproxy", 0.9, lambda s: _exeat(s)["reload"]["seconds"] / s["names"]["haproxy"]["reload"]["seconds"]),
    fixed("names", "peak ≤ 2.2 × resident", 2.2, lambda s: _exeat(s)["reload"]["peak"] / _exeat(s)["reload"]["resident"]),
    fixed("names", "longest wait ≤ 10 ms", 10, lambda s: _exeat(s)["reload"]["longest_wait_ms"]),
    fixed("names", "no set-up fails, no tunnel drops", 0, lambda s: _exeat(s)["reload"]["failed"] + _exeat(s)["reload"]["lost"]),
    fixed("scrape", "≤ 20 ms of CPU", 20, lambda s: s["scrape"]["ms"]),
    fixed("scrape", "≤ 1 % of it on a worker", 1, lambda s: 100 * s["scrape"]["worker_ms"] / s["scrape"]["ms"]),
    fixed("tunnels", "as many as the descriptors allow", held.most_tunnels(), lambda s: s["tunnels"]["connect"][-1]["tunnels"], least=True),
    fixed("tunnels", "set-up cost flat: ≤ 1.1 × the first", 1.1, _flat),
    fixed("workers", "≥ 1.8 × the rate of one", 1.8, lambda s: spread(s["workers"]["ratios"]), least=True),
]


def compared(work):
    """The peers that a bar of this work names."""
    return {p for b in BARS if b.work == work for p in b.peers}


def verdicts(figures):
    """[(work, bar, verdict, value)]"""
    return [(b.work, b.text, *b.verdict(figures)) for b in BARS]
