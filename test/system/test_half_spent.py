"""What a start counts as spent that does not know what was sent before it: half, and everybody is told so; or nothing, on an operator's word."""
import json
import os
import re
import socket
import time

import pytest
from harness.client import connect_reply, gone, open_tunnel
from harness.exeat import run
from harness.origin import swallow
from harness.wait import wait_until

MEBIBYTE = 1 << 20
ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "cut"
hosts = ["cut.half.test"]
ports = [9]
protocol = "tcp"
upload = "2 MiB/1h"
"""


@pytest.fixture(scope="module")
def origin(lab):
    host, _ = lab.place("cut.half.test", v6=False)
    return lab.origin(host, 9, serve=swallow)


def spend(exeat):
    """Sends until it is cut; returns what left."""
    with open_tunnel(exeat, "cut.half.test:9") as s:
        try:
            s.sendall(bytes(8 * MEBIBYTE))
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        assert gone(s)
    exeat.settled()
    return exeat.metric("bytes_total", entry="cut", direction="upload")


def with_state(lab, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    return lab.exeat(ALLOWLIST, policy={"state": str(state)}), state


def test_where_half_counts_as_spent_log_api_metrics_and_refusal_say_so(lab, origin, tmp_path):
    running, _ = with_state(lab, tmp_path)
    with running as exeat:
        assert "half of every upload budget counts as spent" in exeat.log()
        half = json.loads(exeat.fetch("/api/status")[1])["half_spent"]
        assert "which says what was sent before" in half["why"] and half["until_1h"] < half["until_24h"] < half["until_7d"]
        assert exeat.metric("upload_half_spent_until_timestamp_seconds", window="7d") > time.time() + 6 * 86400
        assert "half of every upload budget" in wait_until(lambda: exeat.audit(event__action="start"))[0]["message"]
        assert spend(exeat) == MEBIBYTE
        budget = wait_until(lambda: [b for b in json.loads(exeat.fetch("/api/status")[1])["budgets"] if b["entry"] == "cut"])[0]
        assert (budget["used_bytes"], budget["assumed_bytes"], budget["limit_bytes"], budget["share"]) == (MEBIBYTE, MEBIBYTE, 2 * MEBIBYTE, 1)
        assert (budget["client"], budget["client_name"]) == ("127.0.0.1", "lab/127.0.0.1")
        said = connect_reply(exeat, "cut.half.test:9").body.decode()
        assert "the budget of this client at the entry 'cut' is 2 MiB within 1h: 1 MiB are used, and 1 MiB count as used because exeat does not know" in said
        assert re.search(r"; in \d+ min 1 MiB may leave again", said), said


def test_after_state_init_one_start_has_whole_budgets_and_says_by_whom(lab, origin, tmp_path):
    running, state = with_state(lab, tmp_path)
    init = lambda: run("state", "init", "--config", running.config_path, env={**os.environ, "SUDO_USER": "alice"})
    done = init()
    assert done.returncode == 0, done.stderr
    assert init().returncode == 1, "once is enough"
    with running as exeat:
        assert "counts as spent" not in exeat.log() and json.loads(exeat.fetch("/api/status")[1])["half_spent"] is None
        assert re.fullmatch(r"the upload budgets begin whole: 'exeat state init' by alice at [-0-9T:]+Z", wait_until(lambda: exeat.audit(event__action="start"))[0]["message"])
        assert spend(exeat) == 2 * MEBIBYTE
        assert "count as used" not in connect_reply(exeat, "cut.half.test:9").body.decode()
        assert not (state / "init").exists()
        refused = init()
        assert refused.returncode == 1 and "there is state already" in refused.stderr
        exeat.stop()
        exeat.start()
        assert connect_reply(exeat, "cut.half.test:9").reason == "budget", "a restart is still no reset"
        exeat.stop()
        (state / "uploads").unlink()
        exeat.start()
        assert "half of every upload budget counts as spent" in exeat.log(), "it was used up by the first start"


def test_a_forged_or_late_init_does_not_count(lab, origin, tmp_path):
    running, state = with_state(lab, tmp_path)
    (state / "init").write_bytes(b"exeat-init-1\n2026-01-01T00:00:00Z\nmallory" + bytes(32))
    with running as exeat:
        assert "what 'exeat state init' wrote does not count" in exeat.log() and "half of every upload budget counts as spent" in exeat.log()
        assert not (state / "init").exists()
        exeat.stop()
        other = tmp_path / "other"
        other.mkdir()
        config = tmp_path / "other.toml"
        config.write_text(exeat.config_path.read_text().replace(str(state), str(other)))
        assert run("state", "init", "--config", config).returncode == 0
        (state / "init").write_bytes((other / "init").read_bytes())
        exeat.start()
        assert "there was state already" in exeat.log() and not (state / "init").exists()
