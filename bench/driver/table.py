"""The figures as text."""
from .rounds import spread


def cell(values, bulk):
    mid, least, most = spread(values)
    digits = 2 if bulk else 1
    return f"{mid:.{digits}f} ({least:.{digits}f}–{most:.{digits}f})"


def of(figures, peers, works):
    lines = []
    for work in works:
        lines.append(f"{work.title}, {'CPU s/GB' if work.bulk else 'CPU µs'}")
        for peer in peers:
            values = figures.of(work.name, peer)
            if not values:
                continue
            ratio = figures.ratio(work.name, "exeat", peer)
            rate = spread(figures.of(work.name, peer, "rate"))[0]
            p99 = spread(figures.of(work.name, peer, "p99_us"))[0]
            lines.append(f"  {peer:15s} {cell(values, work.bulk):>24s}   exeat/this {ratio[0]:.2f} ({ratio[1]:.2f}–{ratio[2]:.2f})   {rate:12.2f}/s  p99 {p99:9.1f} µs")
    for what, why in figures.failed().items():
        lines.append(f"FAILED {what}: {why}")
    return "\n".join(lines)
