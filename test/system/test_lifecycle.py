"""Start, drain, end; the audit log and the admin pages meanwhile."""
import json
import os
import signal

import pytest
from harness.client import alive, ask, connect_request, gone, http_request, open_tunnel, read_to_end
from harness.exeat import run
from harness.wait import stays, wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "raw"
hosts = ["echo.life.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "plain"
hosts = ["plain.life.test"]
protocol = "http"
"""


@pytest.fixture(scope="module", autouse=True)
def origins(lab):
    host, _ = lab.place("echo.life.test", "plain.life.test", v6=False)
    return lab.origin(host, 7), lab.http_origin(host)


def accepts(exeat):
    try:
        exeat.connect(timeout=10).close()
        return True
    except OSError:
        return False


def test_sigterm_lets_live_tunnels_go_on_and_takes_no_new_ones(lab):
    with lab.exeat(ALLOWLIST, limits={"drain_timeout": "30s"}) as exeat:
        wait_until(lambda: exeat.audit(event__action="start"))
        with open_tunnel(exeat, "echo.life.test:7") as s:
            assert alive(s)
            exeat.signal(signal.SIGTERM)
            wait_until(lambda: not accepts(exeat))
            status, page = exeat.fetch("/readyz")
            assert status == 503 and "draining" in page
            assert alive(s) and exeat.process.poll() is None
            assert exeat.fetch("/healthz")[0] == 200
        assert exeat.wait() == 0
    actions = [line["event.action"] for line in exeat.audit()]
    assert [a for a in actions if a != "deny"] == ["start", "open", "close", "stop"]  # one that came just before may have been turned away


def test_without_connections_sigterm_ends_at_once(lab):
    with lab.exeat(ALLOWLIST, limits={"drain_timeout": "1h"}) as exeat:
        exeat.signal(signal.SIGTERM)
        assert exeat.wait() == 0


def test_sigint_is_sigterm(lab):
    with lab.exeat(ALLOWLIST, limits={"drain_timeout": "1h"}) as exeat:
        exeat.signal(signal.SIGINT)
        assert exeat.wait() == 0


def test_an_idle_kept_connection_does_not_hold_up_the_end(lab):
    with lab.exeat(ALLOWLIST, limits={"drain_timeout": "1h"}) as exeat:
        with exeat.connect() as s:
            assert ask(s, http_request("GET", "http://plain.life.test/")).status == 200
            exeat.signal(signal.SIGTERM)
            assert gone(s)
            assert exeat.wait() == 0


def test_drain_timeout_cuts_what_is_left(lab):
    with lab.exeat(ALLOWLIST, limits={"drain_timeout": "500ms"}) as exeat:
        with open_tunnel(exeat, "echo.life.test:7") as s:
            assert alive(s)
            exeat.signal(signal.SIGTERM)
            assert gone(s)
            assert exeat.wait() == 0
    assert [line["event.reason"] for line in exeat.audit(event__action="close")] == ["drained"]


def test_a_second_sigterm_ends_at_once(lab):
    with lab.exeat(ALLOWLIST, limits={"drain_timeout": "1h"}) as exeat:
        with open_tunnel(exeat, "echo.life.test:7") as s:
            exeat.signal(signal.SIGTERM)
            wait_until(lambda: not accepts(exeat))
            assert alive(s)
            exeat.signal(signal.SIGTERM)
            assert gone(s)
            assert exeat.wait() == 0
    assert [line["event.reason"] for line in exeat.audit(event__action="close")] == ["stopped"]


def test_it_is_quiet_when_all_is_well(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        with open_tunnel(exeat, "echo.life.test:7") as s:
            assert alive(s)
        quiet = len(exeat.log().splitlines())
        with open_tunnel(exeat, "echo.life.test:7") as s:
            assert alive(s)
        assert len(exeat.log().splitlines()) == quiet <= 4  # how it was built, that half of the budgets counts as spent, and two of its sandbox


@pytest.mark.parametrize("form", ["json", "logfmt"])
def test_its_own_log_can_be_read_by_machines(lab, form):
    with lab.exeat(ALLOWLIST, arguments=["--log", form]) as exeat:
        pass
    lines = exeat.log().splitlines()
    assert lines
    for line in lines:
        if form == "json":
            assert {"time", "level", "event"} <= json.loads(line).keys()
        else:
            assert line.startswith("time=") and " level=" in line


def test_under_systemd_each_line_has_its_priority(lab):
    with lab.exeat(ALLOWLIST, before=["env", "JOURNAL_STREAM=8:1"]) as exeat:
        pass
    lines = exeat.log().splitlines()
    assert lines and all(line[:3] in ("<3>", "<4>", "<5>") for line in lines)


def test_sigusr1_reopens_the_audit_log_and_the_chain_goes_on(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        with open_tunnel(exeat, "echo.life.test:7") as s:
            alive(s)
        wait_until(lambda: exeat.audit(event__action="close"))
        old = exeat.audit_path.with_suffix(".1")
        exeat.audit_path.rename(old)
        exeat.signal(signal.SIGUSR1)
        wait_until(exeat.audit_path.exists)
        with open_tunnel(exeat, "echo.life.test:7") as s:
            alive(s)
        wait_until(lambda: exeat.audit(event__action="close"))
    assert run("verify", "--audit", old, "--audit", exeat.audit_path).returncode == 0


def test_the_audit_log_goes_on_over_a_restart(lab):
    first = lab.exeat(ALLOWLIST)
    with first:
        pass
    with first:
        pass
    assert [line["event.action"] for line in first.audit()] == ["start", "stop", "start", "stop"]
    assert [line["event.sequence"] for line in first.audit()] == sorted({line["event.sequence"] for line in first.audit()})


def test_a_changed_or_missing_line_is_found_by_verify(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        with open_tunnel(exeat, "echo.life.test:7") as s:
            alive(s)
    whole = exeat.audit_path.read_bytes().splitlines(keepends=True)
    forged = exeat.directory / "forged.jsonl"
    assert len(whole) >= 5 and b'"checkpoint"' in whole[-1]
    opened = next(i for i, line in enumerate(whole) if b'"open"' in line)
    whole = whole[opened - 1:opened + 3]
    for lines in ([*whole[:1], *whole[2:]], [whole[0], whole[1].replace(b"echo.life.test", b"evil.life.test"), *whole[2:]], [whole[0], whole[2], whole[1], whole[3]]):
        forged.write_bytes(b"".join(lines))
        done = run("verify", "--audit", forged)
        assert done.returncode == 1 and "forged.jsonl" in done.stderr


def test_audit_to_stdout_is_a_stream_of_lines(lab):
    with lab.exeat(ALLOWLIST, audit={"path": "stdout"}) as exeat:
        out = os.readlink(f"/proc/{exeat.pid}/fd/1")
        assert out == "/dev/null"
        with open_tunnel(exeat, "echo.life.test:7") as s:
            assert alive(s)
        wait_until(lambda: exeat.metric("audit_events_total", result="written") >= 3)


def test_the_admin_pages_are_there(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        for path in ("/", "/metrics", "/healthz", "/readyz", "/api/status"):
            assert exeat.fetch(path)[0] == 200, path
        assert exeat.fetch("/nothing")[0] == 404
        told = json.loads(exeat.fetch("/api/status")[1])
        assert told["ready"] and told["policy"]["serial"] == 7 and told["workers"] == 2
        with exeat.connect(port=exeat.admin_port) as s:
            assert ask(s, connect_request("echo.life.test:7")).status in (400, 404, 405, 421)
        stays(lambda: exeat.process.poll() is None, 0.2)
        with exeat.connect(port=exeat.admin_port) as s:
            s.sendall(b"\0" * 20000)
            read_to_end(s)
