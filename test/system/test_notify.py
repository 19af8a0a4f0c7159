"""What systemd is told: ready, reloading, how it goes, stopping; and that exeat is alive only while all of it is."""
import ctypes
import os
import signal
import subprocess
import time

import pytest
from harness.client import open_tunnel, read_exactly
from harness.exeat import BINARY
from harness.systemd import Notified
from harness.wait import seconds, stays, wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "raw"
hosts = ["echo.told.test"]
ports = [7]
protocol = "tcp"
"""
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


@pytest.fixture(scope="module", autouse=True)
def origin(lab):
    host, _ = lab.place("echo.told.test", v6=False)
    return lab.origin(host, 7)


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    made = Notified(tmp_path / "notify" if request.param == "path" else f"@exeat-{os.getpid()}-{time.monotonic_ns()}")
    yield made
    made.close()


def test_ready_is_said_when_it_serves_and_not_before(lab, manager):
    with lab.exeat(ALLOWLIST, before=manager.before()) as exeat:
        first = manager.wait("READY", "1")
        assert first is manager.heard()[0]
        assert first["STATUS"].startswith("serving serial 7, sha256 ")
        assert exeat.fetch("/readyz")[0] == 200
    manager.wait("STOPPING", "1")


def test_a_reload_is_told_with_its_moment_and_its_end(lab, manager):
    with lab.exeat(ALLOWLIST, before=manager.before()) as exeat:
        manager.wait("READY")
        since, before = len(manager.heard()), time.monotonic_ns() // 1000
        exeat.signal(signal.SIGHUP)
        begun = manager.wait("RELOADING", "1", since)
        assert before <= int(begun["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        manager.wait("READY", "1", since)
        since = len(manager.heard())
        exeat.reload(ALLOWLIST.replace("serial = 7", "serial = 8"))
        assert manager.wait("READY", "1", since)["STATUS"].startswith("serving serial 8, ")


def test_a_reload_that_fails_is_an_end_too_and_says_why(lab, manager):
    with lab.exeat(ALLOWLIST, before=manager.before()) as exeat:
        manager.wait("READY")
        since = len(manager.heard())
        exeat.reload("serial = 8\nnonsense = 1\n", result="error")
        told = manager.wait("READY", "1", since)["STATUS"]
        assert told.startswith("reload failed, serial 7 stays in force: ") and "nonsense" in told


def test_a_drain_is_told_with_what_is_left_and_its_time(lab, manager):
    with lab.exeat(ALLOWLIST, before=manager.before(), limits={"drain_timeout": "30s"}) as exeat:
        with open_tunnel(exeat, "echo.told.test:7"), open_tunnel(exeat, "echo.told.test:7") as second:
            since = len(manager.heard())
            exeat.signal(signal.SIGTERM)
            assert int(manager.wait("STOPPING", "1", since)["EXTEND_TIMEOUT_USEC"]) >= 30_000_000
            manager.wait("STATUS", "draining, 2 connections left", since)
            assert exeat.metric("draining") == 1
            second.close()
            manager.wait("STATUS", "draining, 1 connections left", since)
        assert exeat.wait() == 0
    assert "draining; connections: 2; seconds left: 30" in exeat.log()


def stop_thread(tid):
    """One thread alone, as a bug would: SIGSTOP would stop the whole process."""
    assert _libc.ptrace(PTRACE_SEIZE, tid, None, None) == 0, os.strerror(ctypes.get_errno())
    assert _libc.ptrace(PTRACE_INTERRUPT, tid, None, None) == 0
    os.waitpid(tid, 0x40000000)  # __WALL


def test_the_watchdog_is_fed_while_all_workers_answer_and_not_when_one_is_stuck(lab, manager):
    with lab.exeat(ALLOWLIST, before=manager.before(WATCHDOG_USEC=1_000_000)) as exeat:
        for _ in range(2):
            manager.wait("WATCHDOG", "1", len(manager.heard()))
        names = {tid: open(f"/proc/{exeat.pid}/task/{tid}/comm").read().strip() for tid in os.listdir(f"/proc/{exeat.pid}/task")}
        worker = next(int(tid) for tid, name in names.items() if name == "worker 1")
        stop_thread(worker)
        try:
            wait_until(lambda: "a worker does not answer" in exeat.log())
            assert "workers: 1" in exeat.log()
            heard = len(manager.heard())
            stays(lambda: not any("WATCHDOG" in d for d in manager.heard()[heard:]), 1.5, "no WATCHDOG=1")
        finally:
            _libc.ptrace(PTRACE_DETACH, worker, None, None)
        manager.wait("WATCHDOG", "1", len(manager.heard()))


def test_a_watchdog_of_another_process_is_not_fed(lab, manager):
    with lab.exeat(ALLOWLIST, before=manager.before(WATCHDOG_USEC=400_000, WATCHDOG_PID=1)):
        manager.wait("READY")
        stays(lambda: not any("WATCHDOG" in d for d in manager.heard()), 1)


@pytest.mark.parametrize("variables, said", [
    ({"NOTIFY_SOCKET": "relative"}, "NOTIFY_SOCKET=relative: neither an absolute path nor an abstract name"),
    ({"NOTIFY_SOCKET": "/nonexistent/notify"}, "NOTIFY_SOCKET=/nonexistent/notify: No such file or directory"),
    ({"NOTIFY_SOCKET": "/" + "x" * 108}, "longer than a socket's name may be"), ({"WATCHDOG_USEC": "soon"}, "WATCHDOG_USEC=soon: no number of microseconds"),
    ({"WATCHDOG_USEC": "0"}, "no number of microseconds")])
def test_what_cannot_be_notified_is_an_error_at_start(lab, variables, said):
    made = lab.exeat(ALLOWLIST)
    done = subprocess.run([BINARY, "serve", "--config", str(made.config_path)], capture_output=True, text=True, timeout=seconds(60), check=False,
                          env={**os.environ, **variables})
    assert done.returncode == 1 and said in done.stderr, done.stderr


def test_without_a_service_manager_nothing_changes(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        with open_tunnel(exeat, "echo.told.test:7") as s:
            s.sendall(b"ping")
            assert read_exactly(s, 4) == b"ping"
