"""kill -9 under load, a disk that turns read-only, ports that run out, a user without privilege: each over when it is over."""
import contextlib
import os
import signal
import socket
import subprocess
import threading

import pytest
from harness.client import Reply, alive, connect_reply, connect_request, open_tunnel, read_exactly, reset_on_close
from harness.exeat import BINARY, run
from harness.volume import small_volume
from harness.wait import seconds, wait_until

ALLOWLIST = """
serial = 7
[defaults]
upload = "100 GiB/1h"
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.crash.test", "second.crash.test"]
ports = [7]
protocol = "tcp"
"""
ECHO, SECOND = "echo.crash.test:7", "second.crash.test:7"


@pytest.fixture(scope="module", autouse=True)
def echo(lab):
    host, _ = lab.place("echo.crash.test", v6=False)
    second, _ = lab.place("second.crash.test", v6=False)
    return lab.origin(host, 7), lab.origin(second, 7)


# ---- kill -9 ----

class Load:
    """Clients that come and go, and do not mind that exeat dies."""

    def __init__(self, exeat):
        self._exeat, self._over, self.done = exeat, threading.Event(), 0
        self._threads = [threading.Thread(target=self._work) for _ in range(6)]
        for t in self._threads:
            t.start()

    def _work(self):
        while not self._over.is_set():
            with contextlib.suppress(OSError, AssertionError):
                with open_tunnel(self._exeat, ECHO) as s:
                    assert alive(s)
                connect_reply(self._exeat, "evil.crash.test:443")
                self.done += 1

    def stop(self):
        self._over.set()
        for t in self._threads:
            t.join()


def test_killed_under_load_it_starts_again_at_once_and_the_logs_chain_goes_on(lab):
    exeat = lab.exeat(ALLOWLIST)
    exeat.start()
    load = Load(exeat)
    try:
        for _ in range(5):
            before = load.done
            wait_until(lambda: load.done > before + 100, 60)
            exeat.signal(signal.SIGKILL)
            assert exeat.wait() == -signal.SIGKILL
            exeat.start()
            assert connect_reply(exeat, ECHO).status == 200
    finally:
        load.stop()
    exeat.stop()  # verifies the log, too
    starts = exeat.audit(event__action="start")
    assert len(starts) == 6 and len(exeat.audit(event__action="stop")) == 1
    numbers = [line["event.sequence"] for line in exeat.audit(checkpoints=True)]
    assert numbers == list(range(1, len(numbers) + 1)), "no line twice, none between missing"


def test_a_line_that_a_crash_cut_is_owned_up_to_and_a_hand_that_cut_it_later_is_found(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        assert connect_reply(exeat, ECHO).status == 200
        exeat.settled()
    whole = exeat.audit_path.read_bytes()
    exeat.audit_path.write_bytes(whole[:-20])
    cut = run("verify", "--audit", exeat.audit_path)
    assert cut.returncode == 1 and "audit.jsonl" in cut.stderr
    with exeat:
        assert connect_reply(exeat, ECHO).status == 200
    # the stop verified it: the new run's first line says what was torn
    grown = exeat.audit_path.read_bytes()
    exeat.audit_path.write_bytes(grown[:200] + grown[220:])
    assert run("verify", "--audit", exeat.audit_path).returncode == 1


# ---- a disk that turns read-only ----

@pytest.fixture
def disk(tmp_path):
    with small_volume(tmp_path / "disk", "4m") as at:
        yield at


def test_a_log_on_a_disk_that_is_read_only_denies_until_it_can_be_written_again(lab, disk):
    """The kernel makes no disk read-only under a file that is being written; a rotation then meets one."""
    with lab.exeat(ALLOWLIST, audit={"path": str(disk / "audit.jsonl")}) as exeat:
        with open_tunnel(exeat, ECHO) as s:
            wait_until(lambda: exeat.audit(event__action="open"))
            subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(disk)], check=True)
            exeat.signal(signal.SIGUSR1)
            wait_until(lambda: exeat.metric("audit_healthy") == 0)
            assert connect_reply(exeat, ECHO).reason == "audit_unavailable"
            wait_until(lambda: (said := exeat.fetch("/readyz"))[0] == 503 and "audit" in said[1] and "Read-only" in said[1])
            s.sendall(b"ping")
            wait_until(lambda: exeat.metric("audit_held_tunnels") == 1, what="what is open sends nothing")
            subprocess.run(["umount", str(disk)], check=True)
            assert read_exactly(s, 4) == b"ping", "and goes on when the log does"
            wait_until(lambda: connect_reply(exeat, ECHO).status == 200)
        exeat.settled()
        wait_until(lambda: exeat.metric("audit_healthy") == 1)
        assert exeat.metric("audit_events_dropped_total") == 0


def test_on_a_read_only_disk_it_does_not_start_and_says_why(lab, disk):
    exeat = lab.exeat(ALLOWLIST, audit={"path": str(disk / "audit.jsonl")})
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    done = run("serve", "--config", exeat.config_path)
    assert done.returncode == 1 and "audit" in done.stderr and "Read-only file system" in done.stderr
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


# ---- local ports ----

def test_without_a_local_port_it_is_overload_at_once_and_only_to_that_address(lab):
    """J6."""
    inside = lab.topology.inside
    ports = 40
    try:
        with lab.exeat(ALLOWLIST, limits={"head_timeout": "60s"}) as exeat:  # clients come before they are asked
            assert connect_reply(exeat, ECHO).status == 200 and connect_reply(exeat, SECOND).status == 200
            wait_until(lambda: exeat.metric("connections_active") == 0)
            idle = exeat.open_descriptors()
            # the clients come from addresses and ports of their own
            clients = [client(exeat, n) for n in range(3 * ports)]
            inside.sysctl("ipv4/ip_local_port_range", f"20000 {20000 + ports - 1}")
            held, refused = [], []
            for s in clients:
                s.sendall(connect_request(ECHO))
                reply = Reply(s, method="CONNECT")
                (held if reply.status == 200 else refused).append((s, reply))
            assert 1 <= len(held) <= ports and {(r.status, r.reason) for _, r in refused} == {(503, "overload")}
            assert exeat.metric("denied_total", reason="overload") == len(refused)
            assert exeat.metric("upstream_errors_total", error="no_resources") >= len(refused)
            with client(exeat, 200) as s:
                s.sendall(connect_request(SECOND))
                assert Reply(s, method="CONNECT").status == 200, "another address has ports of its own"
            assert all(alive(s) for s, _ in held)
            reset_on_close(held[0][0])  # an orderly end would keep the port for a minute (TIME_WAIT)
            held[0][0].close()
            wait_until(lambda: served(exeat), what="a port that is free again is used again")
            for s in clients:
                s.close()
            wait_until(lambda: exeat.metric("tunnels_active") == 0)
            wait_until(lambda: exeat.open_descriptors() <= idle)
    finally:
        inside.sysctl("ipv4/ip_local_port_range", "10240 65000")


def client(exeat, n):
    return socket.create_connection(("127.0.0.1", exeat.proxy_port), source_address=("127.0.2.1", 30000 + n), timeout=seconds(30))


served_from = iter(range(300, 600))


def served(exeat):
    with client(exeat, next(served_from)) as s:
        s.sendall(connect_request(ECHO))
        return Reply(s, method="CONNECT").status == 200


# ---- an unprivileged user ----

NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "env", "-i"]


@pytest.fixture
def nobodys(lab, tmp_path_factory):
    """A directory that nobody can reach and own, and a way to run the binary from there."""
    exeat = lab.exeat(ALLOWLIST, before=NOBODY)
    for at in [exeat.directory, *exeat.directory.parents][:4]:
        with contextlib.suppress(PermissionError):
            at.chmod(at.stat().st_mode | 0o711)
    os.chown(exeat.directory, 65534, 65534)
    return exeat


def test_an_ordinary_user_without_capabilities_can_run_it(nobodys):
    with nobodys as exeat:
        status = open(f"/proc/{exeat.pid}/status", encoding="ascii").read()
        assert "Uid:\t65534\t65534" in status and "CapEff:\t0000000000000000" in status
        with open_tunnel(exeat, ECHO) as s:
            assert alive(s)
            s.sendall(bytes(4 << 20))  # through a pipe, of whatever size the user may have
            assert read_exactly(s, 4 << 20) == bytes(4 << 20)
        assert connect_reply(exeat, "evil.crash.test:443").status == 403
        exeat.write_allowlist(ALLOWLIST.replace("serial = 7", "serial = 8"))
        exeat.signal(signal.SIGHUP)
        wait_until(lambda: exeat.metrics().has("exeat_policy_info", serial="8"))
        exeat.settled()
        assert os.stat(exeat.audit_path).st_uid == 65534


def test_what_an_ordinary_user_may_not_is_said(nobodys):
    config = nobodys.config_path.read_text()
    for before, after, words in ((f"127.0.0.1:{nobodys.proxy_port}", "127.0.0.1:443", ("127.0.0.1:443", "Permission denied")),
                                 (str(nobodys.audit_path), "/root/audit.jsonl", ("audit log", "Permission denied"))):
        nobodys.config_path.write_text(config.replace(before, after))
        done = subprocess.run([*NOBODY, BINARY, "serve", "--config", str(nobodys.config_path)], capture_output=True, text=True, timeout=seconds(60), check=False)
        assert done.returncode == 1 and all(word in done.stderr for word in words), done.stderr
