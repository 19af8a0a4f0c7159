"""Each verdict of the quiet hour must be able to say no. And the hour, short."""
import collections
import pathlib
import subprocess
import sys

import pytest
import silence
import staff
from harness.metrics import Metrics

SHORT = "0.5"  # minutes
ENTRIES = ["models"]
HOUR = """exeat_bytes_total{entry="models",direction="upload"} 5
exeat_bytes_total{entry="models",direction="download"} 7
exeat_denied_total{reason="not_allowed"} 2
"""
UP = [{"value": [0, "1"]}]


def said(more="", work=("downloads", "phones_home"), well=(("downloads", 3), ("phones_home", 2)), broken=(), fired=(), scraped=UP, anomalies=(), caught=True):
    record = staff.Record()
    record.well, record.broken = collections.Counter(dict(well)), collections.Counter(broken)
    return [what for what, holds in silence.verdicts(record, set(work), ENTRIES, Metrics(HOUR + more), set(fired), scraped, list(anomalies), caught) if not holds]


def test_an_hour_in_which_nothing_happened_passes():
    assert said() == []


@pytest.mark.parametrize("wrong, why", [
    ({"work": ("downloads", "phones_home", "clones")}, "clones: was done"),
    ({"broken": ["downloads"]}, "no client was refused or cut, nor failed"),
    ({"more": 'exeat_budget_exceeded_total{action="alert"} 1\n'}, "no budget was spent"),
    ({"more": 'exeat_denied_total{reason="dns_failure"} 1\n'}, "refused was what phoned home, and nothing else"),
    ({"more": 'exeat_anomalies_total{severity="info"} 1\n'}, "the log tells of as many findings"),
    ({"anomalies": [{}]}, "the log tells of as many findings"),
    ({"scraped": [{"value": [0, "0"]}]}, "Prometheus has looked all the while"),
    ({"scraped": []}, "Prometheus has looked all the while"),
    ({"fired": ["ExeatFleetShift"]}, "no alert fired"),
    ({"caught": False}, "and a theft behind all that is found and rings the pager"),
    *(({"more": f'exeat_anomalies_total{{severity="{s}"}} 1\n', "anomalies": [{}]}, f"no finding of severity {s}") for s in ("warning", "critical")),
    *(({"more": f'exeat_tunnels_closed_total{{cause="{c}"}} 1\n'}, "no tunnel was cut") for c in silence.CUTS),
])
def test_whatever_was_made_of_honest_work_is_found(wrong, why):
    assert said(**wrong) == [why]


def test_an_entry_that_nobody_used_is_told():
    assert "there was traffic at every entry" in said(more='exeat_bytes_total{entry="models",direction="upload",purpose="pull"} -5\n')


@pytest.fixture(scope="module")
def hour():
    return subprocess.run([sys.executable, pathlib.Path(__file__).with_name("quiet.py"), SHORT], capture_output=True, text=True, timeout=420, check=False)


def test_a_short_hour_of_real_clients_raises_no_alarm(hour):
    assert hour.returncode == 0, hour.stdout + hour.stderr
    assert " 0 failed" in hour.stdout.splitlines()[-1]


@pytest.mark.parametrize("tool", staff.TOOLS)
def test_the_hour_was_spent_with(hour, tool):
    if tool in staff.missing():
        pytest.skip(f"{tool}: {staff.missing()[tool]}")
    work = [what for what, of in staff.NEEDS.items() if of == tool]
    assert work and all(f"ok    {what}: was done" in hour.stdout.splitlines() for what in work), hour.stdout
