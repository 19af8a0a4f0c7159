"""Thefts over real sockets: each verdict must be able to say no; and a quick run, in which not a byte more arrives than the budget had left, and exeat
counts what the wire saw. How quick it all was is not tested here: a loaded machine would make it lie."""
import dataclasses
import os
import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "bench/detection"))
from rows import HOURLY, TOTAL, Row, verdicts  # noqa: E402

STOPPED = Row("one tunnel", "api", 0, arrived=HOURLY["api"] // 2, counted=HOURLY["api"] // 2, cut_after=0.1, log_after=0.1, metric_after=0.2)
WORK = {"calls": 3, "reads": 2}


def wrong(row=STOPPED, done=None, failed=(), **changes):
    return [what for what, holds in verdicts([dataclasses.replace(row, **changes)], WORK if done is None else done, list(failed)) if not holds]


def test_a_theft_that_the_budget_stopped_to_the_byte_passes():
    assert wrong() == []


@pytest.mark.parametrize("changes, said", [
    ({"arrived": STOPPED.arrived + 1, "counted": STOPPED.arrived + 1}, "not a byte beyond"),
    ({"counted": STOPPED.counted - 1}, "counted as the wire saw it"),
    ({"counted": STOPPED.counted + 1}, "counted as the wire saw it"),
    ({"arrived": 1, "counted": 1}, "it was a theft"),
    ({"cut_after": None}, "it was a theft"),
    ({"log_after": None}, "found in the log"),
    ({"metric_after": None}, "found in the log"),
    ({"done": {}}, "honest work went on"),
    ({"done": {"calls": 3, "reads": 0}}, "honest work went on"),
    ({"failed": ["calls: refused"]}, "nothing of it was cut"),
])
def test_what_should_not_be_is_told(changes, said):
    assert len(wrong(**changes)) == 1 and said in wrong(**changes)[0]


def test_what_is_left_follows_the_rules_of_the_budgets():
    """Half of it counts as spent; a pull has 12 KiB more for each tunnel, for 512 of them, and a thousandth of what came down."""
    pull = dataclasses.replace(STOPPED, purpose="pull", opened=3, came_down=5_000)
    assert pull.left == HOURLY["pull"] // 2 + 3 * 12_288 + 5
    assert dataclasses.replace(pull, opened=513).left == HOURLY["pull"] // 2 + 512 * 12_288 + 5
    assert dataclasses.replace(STOPPED, clients=4).left == 2 * HOURLY["api"]
    assert dataclasses.replace(STOPPED, clients=4, total=True).left == TOTAL // 2
    assert dataclasses.replace(STOPPED, replicas=3).left == 3 * HOURLY["api"] // 2
    assert dataclasses.replace(pull, replicas=3, opened=513).left == 3 * HOURLY["pull"] // 2 + 513 * 12_288 + 5


def test_a_quick_run_lets_not_a_byte_beyond_any_budget_and_counts_what_the_wire_saw():
    argv = ["/usr/bin/python3", "bench/detection/wire.py", "--quick"]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, timeout=240, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    assert {row[1] for row in rows} == set(HOURLY) and len(rows) == 18
    for row in rows:
        left, arrived, counted = (int(row[n].replace(",", "")) for n in (2, 3, 5))
        assert arrived == counted and (arrived <= left or "by the crash" in row[4]), row
    assert " 0 failed" in done.stdout.splitlines()[-1]
