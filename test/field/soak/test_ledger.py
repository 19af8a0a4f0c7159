"""The books themselves: each verdict of the soak must be able to say no. And the soak, short."""
import collections
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "system")]
from ledger import AuditTail, Books, Bytes, Life, cut_short, grows, orderly, slowed  # noqa: E402

SHORT = "0.3"  # minutes


def books(up, down):
    return Books({"e": Bytes(up, down)})


def test_one_byte_that_is_missing_anywhere_is_found():
    assert orderly("e", books(5, 7), books(5, 7), books(5, 7), True)
    for wrong in (books(4, 7), books(5, 8)):
        assert not orderly("e", wrong, books(5, 7), books(5, 7), True) and not orderly("e", books(5, 7), books(5, 7), wrong, True)
        assert not orderly("e", books(5, 7), wrong, books(5, 7), False)


@pytest.mark.parametrize("clients, log, origins", [((9, 1), (8, 3), (9, 4)), ((7, 1), (8, 3), (7, 4)), ((9, 4), (8, 3), (7, 4)), ((9, 1), (8, 5), (7, 4))])
def test_nobody_receives_more_than_was_sent(clients, log, origins):
    assert cut_short("e", books(9, 1), books(8, 3), books(7, 4))
    assert not cut_short("e", books(*clients), books(*log), books(*origins))


def test_a_scrape_under_load_may_say_less_and_a_quiet_one_not():
    assert Life(False, books(1, 1), books(2, 2)).agrees("e") and not Life(True, books(1, 1), books(2, 2)).agrees("e")
    assert not Life(False, books(3, 1), books(2, 2)).agrees("e")


def test_growth_is_from_the_first_quiet_moment_to_the_last():
    assert not grows([10, 30, 12], 2) and grows([10, 11, 13], 2)


def test_the_log_is_read_as_far_as_it_has_whole_lines(tmp_path):
    log = tmp_path / "audit.jsonl"
    close = '{"event.action":"close","rule.name":"e","source.bytes":2,"destination.bytes":3,"event.reason":"finished"}'
    log.write_text(close + "\n" + close[:30])
    tail = AuditTail(log)
    assert tail.read().books == books(2, 3) and tail.read().books == books(2, 3)
    log.write_text(close + "\n" + close + "\n")
    assert tail.read().books == books(4, 6) and tail.events["close"] == 2


def test_a_median_is_compared_only_where_enough_were_timed():
    times = collections.defaultdict(list, {("a", True): [3.0] * 50, ("a", False): [1.0] * 50, ("b", True): [9.0] * 49, ("b", False): [1.0] * 50})
    assert slowed(times, ["a", "b", "c"]) == {"a": 3.0}


def test_only_findings_about_refusals_accuse(tmp_path):
    log = tmp_path / "audit.jsonl"
    lines = [("denied_burst", "a"), ("name_mismatch", "b"), ("beacon", "c")]
    log.write_text("".join(f'{{"event.action":"anomaly","exeat.detector.name":"{d}","source.ip":"{c}"}}\n' for d, c in lines))
    assert AuditTail(log).read().accused == {"a", "b"}


def test_a_short_soak_keeps_every_byte():
    done = subprocess.run([sys.executable, HERE / "soak.py", SHORT], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed" in done.stdout.splitlines()[-1]
