"""The benchmark as a program: a tiny run measures every work, nothing fails, and the table and the figures are whole. What they say about
speed is not tested here: a loaded machine would make it lie."""
import json
import os
import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[3]
ALONE = {"denied_connect", "denied_sni", "http", "http_close"}  # the kernel relay decides nothing and reads no HTTP
SHARED = {"connect", "sni", "echo", "upload_1", "download_1", "upload_8", "download_8"}


@pytest.fixture(scope="module")
def tiny():
    argv = ["/usr/bin/python3", "bench/run.py", "--quick", "--rounds", "1", "--seconds", "0.5", "--peers", "kernel relay", "--only", "detect", *sorted(ALONE | SHARED)]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    if done.stderr.startswith("the benchmark cannot have"):
        pytest.skip(f"skipped: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads((TOP / "build" / "bench" / "figures.json").read_text())


def test_every_work_is_measured_through_everyone_who_can_do_it(tiny):
    _, figures = tiny
    assert set(figures["samples"]) == ALONE | SHARED
    for work, by_peer in figures["samples"].items():
        assert set(by_peer) == ({"exeat"} if work in ALONE else {"exeat", "kernel relay"}), work


def test_every_operation_succeeds(tiny):
    _, figures = tiny
    assert figures["failed"] == {}
    for by_peer in figures["samples"].values():
        for samples in by_peer.values():
            assert all(s["failed"] == 0 and s["cost"] > 0 and s["rate"] > 0 for s in samples)


def test_what_the_detectors_cost_stands_beside_the_tunnel_that_they_look_at(tiny):
    table, figures = tiny
    assert [at["clients"] for at in figures["detect"]] == [200, 2000]
    assert all(at[f"{action}_ns"] > 0 for at in figures["detect"] for action in ("open", "progress", "close", "deny"))
    assert re.search(r"^2,000( +\d+){4}( +[\d.]+){2}$", table, re.M), table


def test_a_refused_name_is_never_looked_up(tiny):
    _, figures = tiny
    assert figures["denied_lookups"] == 0


def test_the_table_holds_every_bar_against_this_run(tiny):
    table, figures = tiny
    verdicts = [bar["verdict"] for bar in figures["bars"]]
    assert re.search(rf"^{verdicts.count('met')} met, {verdicts.count('missed')} missed, {verdicts.count('not measured')} not measured$", table, re.M)
    assert {b["work"] for b in figures["bars"] if b["verdict"] != "not measured"} >= {"connect", "sni", "echo", "upload_1", "denied", "detect"}
    assert "new CONNECT tunnel + 1 echo" in table and "FAILED" not in table
