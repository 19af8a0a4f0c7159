"""What exeat costs while nothing happens: memory by worker, before and after somebody scraped."""
import pathlib
import re

import pytest
from harness.wait import sanitized

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.idle.test"]
ports = [7]
protocol = "tcp"
"""
KIB_A_WORKER = 1024
FEW, MANY = 2, 18

pytestmark = pytest.mark.skipif(sanitized, reason="a sanitizer's shadow is not exeat's memory")


def kib(exeat):
    """Of its own: what other processes share with it counts in parts."""
    rollup = pathlib.Path(f"/proc/{exeat.pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.M)[1])


def test_a_worker_costs_little_until_it_is_used_and_a_scrape_does_not_change_that(lab, measured):
    idle, scraped = {}, {}
    for workers in (FEW, MANY):
        with lab.exeat(ALLOWLIST, limits={"workers": workers}) as exeat:
            idle[workers] = kib(exeat)
            for _ in range(3):
                exeat.metrics()
            scraped[workers] = kib(exeat)
    by_worker = [(each[MANY] - each[FEW]) / (MANY - FEW) for each in (idle, scraped)]
    measured(f"a worker costs {by_worker[0]:.0f} KiB idle, {by_worker[1]:.0f} KiB after scrapes")
    assert 0 < max(by_worker) <= KIB_A_WORKER
