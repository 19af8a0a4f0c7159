"""The system's DNS servers, where exeat.toml names none: /etc/resolv.conf as it is at the start, as it changes, and when it is of no use."""
import contextlib
import re
import signal
import subprocess

import pytest
from harness.client import connect_reply
from harness.dns import DnsServer
from harness.exeat import BINARY
from harness.wait import wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "raw"
hosts = ["first.conf.test", "second.conf.test"]
ports = [7]
protocol = "tcp"
"""


@pytest.fixture
def second(lab):
    """Another server, which alone knows second.conf.test; the lab's own alone knows first.conf.test."""
    address, _ = lab.addresses()
    lab.origin(address, 7)
    other = DnsServer()
    lab.dns.set("first.conf.test", address, ttl=1)
    other.set("second.conf.test", address, ttl=1)
    return other


@pytest.fixture
def etc(tmp_path):
    at = tmp_path / "etc"
    at.mkdir()
    return at


def write(etc, text):
    """As DHCP clients do it: whole, by rename."""
    new = etc / "resolv.conf.new"
    new.write_text(text)
    new.rename(etc / "resolv.conf")


# Where / is not a mount, as in a chroot, nobody gets mounts of their own.
pytestmark = pytest.mark.skipif(subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0, reason="skipped: unshare --mount fails here")


@contextlib.contextmanager
def with_etc(lab, etc):
    """An exeat whose /etc is this directory."""
    mounts = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc && exec "$@"', str(etc)]
    with lab.exeat(ALLOWLIST, before=mounts, limits={"workers": 2}, dns={"servers": [], "timeout": "60s"}) as exeat:
        yield exeat


def known(exeat):
    return exeat.metric("resolver_servers")


def reached(exeat, name):
    return connect_reply(exeat, f"{name}.conf.test:7").status == 200


def check(exeat):
    argv = ["nsenter", "--mount", "--target", str(exeat.pid), BINARY, "check", "--config", str(exeat.config_path)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_another_file_in_its_place_is_used_by_every_worker(lab, etc, second):
    write(etc, f"search conf.test\nnameserver {lab.dns.address}\n")
    with with_etc(lab, etc) as exeat:
        assert known(exeat) == 1 and reached(exeat, "first") and check(exeat).returncode == 0
        write(etc, f"nameserver {second.address}\n")
        wait_until(lambda: "DNS servers changed" in exeat.log(), what="it is told")
        assert re.search(rf"file changed.*{re.escape(second.address)}", exeat.log())
        mark = lab.dns.mark()
        wait_until(lambda: all(reached(exeat, "second") for _ in range(10)), what="both workers ask the new server")
        assert known(exeat) == 1 and not lab.dns.asked("second.conf.test", mark + 40)


@pytest.mark.parametrize("text", [None, "", "search conf.test\n", "nameserver ns.test\n"], ids=["missing", "empty", "none", "bad"])
def test_a_file_of_no_use_changes_nothing_and_is_told(lab, etc, second, text):
    write(etc, f"nameserver {lab.dns.address}\n")
    with with_etc(lab, etc) as exeat:
        assert known(exeat) == 1
        if text is None:
            (etc / "resolv.conf").unlink()
        else:
            write(etc, text)
        wait_until(lambda: known(exeat) == 0)
        assert re.search(rf"names no DNS server.*{re.escape(lab.dns.address)}.*/etc/resolv.conf", exeat.log())
        assert reached(exeat, "first")
        said = check(exeat)
        assert said.returncode == 0 and "/etc/resolv.conf: warning: " in said.stdout
        write(etc, f"nameserver {second.address}\n")
        wait_until(lambda: known(exeat) == 1)
        wait_until(lambda: reached(exeat, "second"))


def test_a_file_that_comes_after_the_start_is_used(lab, etc, second):
    with with_etc(lab, etc) as exeat:
        assert known(exeat) == 0 and "127.0.0.1:53" in exeat.log()
        assert connect_reply(exeat, "second.conf.test:7").reason == "dns_failure"
        write(etc, f"nameserver {second.address}\n")
        wait_until(lambda: reached(exeat, "second"))
        assert known(exeat) == 1


def test_a_link_is_followed_to_the_file_that_is_replaced_behind_it(lab, etc, second, tmp_path):
    """As systemd-resolved has it."""
    run = tmp_path / "run"
    run.mkdir()
    write(run, f"nameserver {lab.dns.address}\n")
    (etc / "resolv.conf").symlink_to(run / "resolv.conf")
    with with_etc(lab, etc) as exeat:
        assert known(exeat) == 1 and reached(exeat, "first")
        write(run, f"nameserver {second.address}\n")
        wait_until(lambda: reached(exeat, "second"))


def test_sighup_reads_it_too(lab, etc):
    with with_etc(lab, etc) as exeat:
        assert "cause: SIGHUP" not in exeat.log()
        exeat.signal(signal.SIGHUP)
        wait_until(lambda: re.search(r"names no DNS server.*SIGHUP", exeat.log()))


def test_questions_in_flight_end_where_they_were_asked(lab, etc, second):
    lab.dns.set("first.conf.test", *lab.dns.table["first.conf.test"].addresses, behave="held")
    write(etc, f"nameserver {lab.dns.address}\n")
    with with_etc(lab, etc) as exeat, exeat.connect() as waits:
        waits.sendall(b"CONNECT first.conf.test:7 HTTP/1.1\r\nHost: first.conf.test:7\r\n\r\n")
        wait_until(lambda: lab.dns.asked("first.conf.test"))
        write(etc, f"nameserver {second.address}\n")
        wait_until(lambda: reached(exeat, "second"))
        lab.dns.table["first.conf.test"].behave = None
        lab.dns.release()
        assert waits.recv(12) == b"HTTP/1.1 200"
