"""While the audit log cannot be written, what is open sends nothing either; and a disk that died is found without an event."""
import contextlib
import subprocess

import pytest
from harness.client import Reply, connect_reply, http_request, open_tunnel, read_exactly, read_to_end
from harness.volume import fill, small_volume
from harness.wait import seconds, stays, wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.held.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "plain"
hosts = ["echo.held.test"]
protocol = "http"
"""
ECHO = "echo.held.test:7"


@pytest.fixture(scope="module")
def origins(lab):
    host, _ = lab.place("echo.held.test", v6=False)
    return lab.origin(host, 7), lab.http_origin(host)


@pytest.fixture
def volume(tmp_path):
    with small_volume(tmp_path / "disk", "1m") as at:
        yield at


@contextlib.contextmanager
def failing_log(exeat, volume):
    """Until the end of the block the log's volume is full."""
    ballast = fill(volume)
    wait_until(lambda: exeat.metric("audit_healthy") == 0, 60)
    yield
    ballast.unlink()


def on_volume(lab, volume, **more):
    return lab.exeat(ALLOWLIST, audit={"path": str(volume / "audit.jsonl"), **more})


def test_an_open_tunnel_sends_nothing_until_the_log_can_be_written_and_then_all_of_it(lab, origins, volume):
    echo, _ = origins
    with on_volume(lab, volume) as exeat, open_tunnel(exeat, ECHO) as s:
        before = echo.received_bytes
        with failing_log(exeat, volume):
            s.sendall(b"held" * 1000)
            wait_until(lambda: exeat.metric("audit_held_tunnels") == 1)
            stays(lambda: echo.received_bytes == before, 0.5)
        assert read_exactly(s, 4000) == b"held" * 1000
        assert echo.received_bytes == before + 4000
        wait_until(lambda: exeat.metric("audit_held_tunnels") == 0)
        assert exeat.metric("audit_events_dropped_total") == 0


def test_an_upload_that_waits_too_long_ends_and_nobody_else_does(lab, origins, volume):
    echo, _ = origins
    with on_volume(lab, volume) as exeat, open_tunnel(exeat, ECHO) as s, open_tunnel(exeat, ECHO) as quiet:
        before = echo.received_bytes
        with failing_log(exeat, volume):
            s.sendall(b"never")
            s.settimeout(seconds(90))
            assert read_to_end(s) == b""
            wait_until(lambda: exeat.metric("tunnels_closed_total", cause="audit_unavailable") == 1)
            wait_until(lambda: exeat.metric("audit_held_tunnels") == 0)
            assert exeat.metric("audit_healthy") == 0
            assert echo.received_bytes == before
        quiet.sendall(b"ping")
        assert read_exactly(quiet, 4) == b"ping", "who sent nothing meanwhile goes on"
        ended = wait_until(lambda: exeat.audit(event__action="close"))
        assert [line["event.reason"] for line in ended] == ["audit_unavailable"]


def test_a_request_of_plain_http_holds_its_body_too(lab, origins, volume):
    _, web = origins
    body = b"x" * 100_000
    request = http_request("POST", "http://echo.held.test/", ["Content-Length: 100000"], body)
    with on_volume(lab, volume) as exeat, exeat.connect() as s:
        s.sendall(request[:-50_000])
        wait_until(lambda: web.received_bytes >= 50_000)
        before = web.received_bytes
        with failing_log(exeat, volume):
            s.sendall(request[-50_000:])
            wait_until(lambda: exeat.metric("audit_held_tunnels") == 1)
            stays(lambda: web.received_bytes == before, 0.5)
        assert Reply(s, method="POST").status == 200
        assert web.received_bytes >= before + 50_000


def test_what_comes_down_goes_on_and_so_does_all_with_on_failure_continue(lab, origins, volume):
    with on_volume(lab, volume, on_failure="continue") as exeat, open_tunnel(exeat, ECHO) as s:
        with failing_log(exeat, volume):
            s.sendall(b"ping")
            assert read_exactly(s, 4) == b"ping"
            assert exeat.metric("audit_held_tunnels") == 0


def test_a_disk_that_became_read_only_is_found_without_an_event(lab, origins, volume):
    with on_volume(lab, volume) as exeat:
        exeat.settled()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(volume)], check=True)
        try:
            wait_until(lambda: exeat.metric("audit_healthy") == 0, 60)
            assert connect_reply(exeat, ECHO).reason == "audit_unavailable"
            wait_until(lambda: "takes nothing" in exeat.log() and "Read-only file system" in exeat.log())
        finally:
            subprocess.run(["umount", str(volume)], check=True)
        wait_until(lambda: connect_reply(exeat, ECHO).status == 200)


@pytest.fixture
def disk_that_can_freeze(tmp_path):
    """An ext4 volume, or a skip where the machine makes none."""
    image, at = tmp_path / "image", tmp_path / "frozen"
    image.write_bytes(bytes(16 << 20))
    at.mkdir()
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    if subprocess.run(["mount", "-o", "loop", image, at], capture_output=True, check=False).returncode:
        pytest.skip("no loop device can be had here")
    try:
        yield at
    finally:
        subprocess.run(["fsfreeze", "-u", at], capture_output=True, check=False)
        subprocess.run(["umount", "-l", at], check=True)


def test_a_disk_that_does_not_answer_counts_as_one_that_fails(lab, origins, disk_that_can_freeze):
    """A write to it never returns, so that the thread which would say so is the one that hangs."""
    echo, _ = origins
    disk = disk_that_can_freeze
    with on_volume(lab, disk) as exeat, open_tunnel(exeat, ECHO) as s:
        wait_until(lambda: exeat.audit(event__action="open"))
        before = echo.received_bytes
        subprocess.run(["fsfreeze", "-f", disk], check=True)
        wait_until(lambda: exeat.metric("audit_healthy") == 0, 90)
        s.sendall(b"held")
        wait_until(lambda: exeat.metric("audit_held_tunnels") == 1)
        assert connect_reply(exeat, ECHO).reason == "audit_unavailable"
        wait_until(lambda: (said := exeat.fetch("/readyz"))[0] == 503 and "does not answer" in said[1])
        stays(lambda: echo.received_bytes == before, 0.3)
        subprocess.run(["fsfreeze", "-u", disk], check=True)
        assert read_exactly(s, 4) == b"held"
        wait_until(lambda: exeat.metric("audit_healthy") == 1)
        assert exeat.metric("audit_events_dropped_total") == 0
