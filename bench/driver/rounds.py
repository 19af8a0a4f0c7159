"""Interleaved rounds: A B C A B C …, so that what disturbs the machine disturbs all alike, and ratios of one round are pairs."""
import statistics
import sys

from .works import sample


def note(text):
    print(text, file=sys.stderr, flush=True)


class Figures:
    """All samples of one benchmark: figures[work][peer] is a list, one a round."""

    def __init__(self):
        self.samples = {}
        self.special = {}  # what special.py measured, by its names
        self.skipped = {}  # peer: why
        self.narrowed = False  # not everything was asked for
        self.denied_lookups = None  # questions for a name that is on no list

    def add(self, work, peer, s):
        self.samples.setdefault(work, {}).setdefault(peer, []).append(s)

    def of(self, work, peer, field="cost"):
        return [getattr(s, field) for s in self.samples.get(work, {}).get(peer, [])]

    def ratio(self, work, peer, other, field="cost"):
        """(median, least, most) of the ratio in each round; None when one of them was not measured."""
        pairs = [a / b for a, b in zip(self.of(work, peer, field), self.of(work, other, field)) if b]
        return spread(pairs) if pairs else None

    def failed(self):
        """{"WORK through PEER": what went wrong first}."""
        return {f"{w} through {p}": next(s.failure for s in samples if s.failed)
                for w, by_peer in self.samples.items() for p, samples in by_peer.items() if any(s.failed for s in samples)}


def spread(values):
    return statistics.median(values), min(values), max(values)


def run(lab, peers, works, figures, *, rounds, seconds, warm, first_counts, wanted):
    """`wanted(work, peer)`, of those that can do it. Without `first_counts` the first round is thrown away."""
    for work in works:
        able = [p for p in peers if work.way(p) is not None and wanted(work, p)]
        note(f"{work.title}: {', '.join(p.name for p in able)}")
        for number in range(0 if first_counts else -1, rounds):
            for peer in able if number % 2 else reversed(able):
                said = lab.load(work.way(peer), work.load, at_once=work.at_once, seconds=seconds if number >= 0 else warm, warm=warm, pids=peer.pids())
                if number >= 0:
                    figures.add(work.name, peer.name, sample(work, said))
