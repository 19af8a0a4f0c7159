"""The figures as text: every work through every peer, the special measurements, then the bar."""
from . import bar, held
from .rounds import spread
from .works import WORKS

MIB = 2**20


def text(figures):
    parts = [_works(figures), *(say(figures.special[name]) for name, say in SPECIAL.items() if name in figures.special), _detect(figures), _bars(figures)]
    parts += [f"skipped: {name}: {why}" for name, why in figures.skipped.items()]
    parts += [f"FAILED: {what}: {why}" for what, why in figures.failed().items()]
    return "\n\n".join(p for p in parts if p)


def _span(values, digits):
    mid, least, most = values
    return f"{mid:.{digits}f} ({least:.{digits}f}–{most:.{digits}f})"


def _rows(head, rows):
    """Columns as wide as their widest cell; the first is text, the others numbers."""
    wide = [max(len(str(r[i])) for r in [head, *rows]) for i in range(len(head))]
    def line(r):
        return "  ".join(str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(r, wide))).rstrip()
    return "\n".join([line(head), "  ".join("-" * w for w in wide), *map(line, rows)])


def _works(figures):
    return "\n\n".join(_work(figures, w) for w in WORKS if w.name in figures.samples)


def _work(figures, work):
    unit, rate = ("CPU s/GB", "GB/s") if work.bulk else ("CPU µs", "per second")
    rows = []
    for peer in figures.samples[work.name]:
        ratio = figures.ratio(work.name, "exeat", peer)
        row = [peer, _span(spread(figures.of(work.name, peer)), 3 if work.bulk else 1), _span(ratio, 2) if ratio else "",
               f"{spread(figures.of(work.name, peer, 'rate'))[0]:,.{2 if work.bulk else 0}f}"]
        if not work.bulk:
            row += [f"{spread(figures.of(work.name, peer, q))[0]:,.0f}" for q in ("p50_us", "p99_us")]
        rows.append(row)
    return _rows([work.title, unit, "exeat / this", rate] + ([] if work.bulk else ["p50 µs", "p99 µs"]), rows)


def _calls(by_mode):
    peers = {p: None for counts in by_mode.values() for p in counts}
    totals = [[p] + [f"{sum(by_mode[m][p].values()):.1f}" if p in by_mode.get(m, {}) else "" for m in ("connect", "sni")] for p in peers]
    parts = [_rows(["system calls per new connection", "CONNECT", "SNI"], totals)]
    for mode, counts in by_mode.items():
        pair = [p for p in ("exeat", "kernel relay") if p in counts]
        names = sorted({c for p in pair for c in counts[p]}, key=lambda c: -max(counts[p].get(c, 0) for p in pair))
        parts.append(_rows([f"of these, {mode}", *pair], [[c] + [f"{counts[p].get(c, 0):.2f}" for p in pair] for c in names]))
    return "\n\n".join(parts)


def _decide(at):
    return _rows(["decide(), names", "ns", "built s", "MiB"], [[f"{a['names']:,}", f"{a['ns']:.0f}", f"{a['built_seconds']:.3f}", f"{a['bytes'] / MIB:.1f}"] for a in at])


def _detect(figures):
    """What a tunnel's two records cost, and the share of that in all that exeat does for it: no more than it was measured in this run."""
    head = ["detectors, clients", "open ns", "close ns", "denied ns", "progress ns", "% of a CONNECT tunnel", "% of an upload"]
    rows = [[f"{at['clients']:,}", *(at[f"{a}_ns"] for a in ("open", "close", "deny", "progress")), *(_percent(share(figures, at)) for share in (bar.of_a_tunnel, bar.of_bulk))]
            for at in figures.special.get("detect", [])]
    return _rows(head, rows) if rows else ""


def _percent(value):
    return "" if value is None else f"{value:.2g}"


def _idle(by_peer):
    return _rows(["idle tunnel, KiB PSS", "CONNECT", "SNI"],
                 [[p] + [f"{at[m] / 1024:.2f}" if m in at else "" for m in ("connect", "sni")] for p, at in by_peer.items()])


def _tunnels(by_mode):
    parts = []
    for mode, levels in by_mode.items():
        slope, base = held.line(levels)
        rows = [[f"{l['tunnels']:,}", f"{l['pss'] / MIB:.1f}", f"{l['setup_us']:.1f}"] for l in levels]
        rows += [[f"{n:,} (extrapolated)", f"{(base + slope * n) / MIB:.0f}", ""] for n in (50_000, 500_000)]
        parts.append(_rows([f"exeat holding {mode} tunnels", "MiB PSS", "set-up CPU µs"], rows))
    return "\n\n".join(parts)


def _names(by_peer):
    sizes = [[f"{p}, {at['names']:,} names", f"{at['pss'] / MIB:.1f}", _span(spread(at["setup"]), 1)] for p, all in by_peer.items() for at in all["sizes"]]
    reloads = [[p, f"{r['seconds']:.2f}", f"{r['resident'] / MIB:.0f}", f"{r['peak'] / MIB:.0f}", f"{r['longest_wait_ms']:.1f}", f"{r['quiet_wait_ms']:.1f}", r["failed"], r["lost"], r["failure"][:60]]
               for p, all in by_peer.items() for r in [all["reload"]]]
    return _rows(["allowlist", "MiB PSS", "set-up CPU µs"], sizes) + "\n\n" + \
        _rows(["reload of 1,000,000 names", "s", "MiB before", "peak", "longest wait ms", "without a reload", "failed", "lost", ""], reloads)


def _scrape(s):
    return _rows(["scrape", "CPU ms", "on a worker, ms"], [[f"{s['series']:,} series", f"{s['ms']:.1f}", f"{s['worker_ms']:.3f}"]])


def _workers(s):
    return _rows(["two workers", "× the rate of one", "by"], [["exeat", _span(spread(s["ratios"]), 2), s["by"]]])


SPECIAL = {"calls": _calls, "decide": _decide, "idle": _idle, "tunnels": _tunnels, "names": _names, "scrape": _scrape, "workers": _workers}


def _bars(figures):
    rows = []
    verdicts = bar.verdicts(figures)
    for work, said, verdict, value in verdicts:
        if verdict == bar.NONE and figures.narrowed:
            continue
        shown = "" if value is None else _span(value, 2) if isinstance(value, tuple) else f"{value:.4g}"
        rows.append([f"{work}: {said}", shown, verdict])
    count = {v: sum(each[2] == v for each in verdicts) for v in (bar.MET, bar.MISSED, bar.NONE)}
    return (_rows(["the bar", "here", ""], rows) + "\n\n" if rows else "") + ", ".join(f"{n} {v}" for v, n in count.items())
