"""The Debian package on a machine of its own: installed, started by its systemd, upgraded under load, rotated, and purged without a trace."""
import ctypes
import json
import os
import re
import subprocess
import sys

import pytest
from harness.exeat import REPOSITORY
from harness.wait import wait_until

UPGRADES = int(os.environ.get("EXEAT_RESTARTS", "2"))
ALLOWLIST = """
serial = {serial}
[groups.here]
sources = ["127.0.0.0/8"]
[[private_link]]
name = "echo"
hosts = ["echo.machine.test"]
addresses = ["127.0.0.1"]
owner = "tests"
reason = "echo"
ports = [7777]
protocol = "tcp"
"""


class Traffic:
    def __init__(self, machine):
        script = REPOSITORY / "test/field/machine/traffic.py"
        self._process = subprocess.Popen(machine.on_its_network(sys.executable, script), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, word):
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait(60)


@pytest.fixture
def traffic(machine):
    made = Traffic(machine)
    yield made
    made.close()


def main_pid(machine, unit="exeat.service"):
    return machine.show(unit, "MainPID")


def files(machine):
    """All but what systemd and dpkg keep for themselves."""
    return set(machine.do("find", "/", "-xdev", "(", "-path", "/proc", "-o", "-path", "/var/lib/dpkg", "-o", "-path", "/root", "-o", "-path", "/var/log/journal", ")",
                          "-prune", "-o", "-print").splitlines())


def test_the_package_names_what_it_needs_and_belongs_to_root(package):
    fields = subprocess.run(["dpkg-deb", "-f", package], capture_output=True, text=True, check=True).stdout
    assert "libssl3 (>= 3" in fields and "libseccomp2" in fields and "@" not in fields.replace("@example.test", "")
    listed = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    assert all(line.split()[1] == "root/root" and "/local/" not in line for line in listed.splitlines())
    for wanted in ("usr/bin/exeat", "usr/libexec/exeat/exeatd", "usr/share/doc/exeat/exeat.spdx.json", "usr/lib/systemd/system/exeat.service", "etc/exeat/allowlist.toml", "etc/logrotate.d/exeat", "usr/share/doc/exeat/README.md",
                   "usr/share/doc/exeat/systemd/README.md", "usr/share/doc/exeat/conf/prometheus/README.md", "usr/share/doc/exeat/changelog.gz", "usr/share/man/man7/exeat-verdicts.7",
                   "usr/share/man/man1/exeat.1", "usr/share/man/man5/allowlist.toml.5", "usr/share/zsh/vendor-completions/_exeat"):
        assert re.search(rf"\./{wanted}$", listed, re.M), wanted


def kernel_has_landlock():
    return ctypes.CDLL(None).syscall(444, None, 0, 1) > 0  # landlock_create_ruleset: its version


BEFORE = {}


def test_installed_it_runs_at_once_as_its_own_user_without_any_privilege(machine):
    BEFORE["files"] = files(machine)
    done = machine.install()
    assert done.returncode == 0 and "exeat:" not in done.stderr, done.stdout + done.stderr + machine.journal()
    for unit in ("exeat.service", "exeat.socket", "exeat-transparent.socket"):
        assert machine.do("systemctl", "is-active", unit) == "active\n" and machine.do("systemctl", "is-enabled", unit) == "enabled\n"
    assert machine.fetch("/readyz").startswith("ready")
    assert machine.show("exeat.service", "StatusText").startswith("serving serial 1, ")
    status = dict(re.findall(r"^(\w+):\t(.*)$", machine.do("cat", f"/proc/{main_pid(machine)}/status"), re.M))
    assert status["Uid"].split()[0] != "0" and int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    said = [line for line in machine.journal().splitlines() if "the limit of open files is too low" not in line]  # this machine's, not the unit's
    assert not any("warning" in line for line in said), said
    assert any("sandbox; system calls: restricted; files: restricted, landlock version" in line for line in said) or not kernel_has_landlock(), said


def test_reload_takes_a_good_list_and_fails_with_a_bad_one(machine, traffic):
    machine.path("/etc/exeat/allowlist.toml").write_text(ALLOWLIST.format(serial=2))
    machine.do("systemctl", "reload", "exeat")
    wait_until(lambda: machine.show("exeat.service", "StatusText").startswith("serving serial 2, "), 60)
    traffic.say("hold")
    machine.path("/etc/exeat/allowlist.toml").write_text("serial = 3\nnonsense = 1\n")
    done = machine.run("systemctl", "reload", "exeat")
    assert done.returncode != 0
    assert traffic.say("ping") == 1
    wait_until(lambda: "nonsense" in machine.journal())
    machine.path("/etc/exeat/allowlist.toml").write_text(ALLOWLIST.format(serial=4))
    machine.do("systemctl", "reload", "exeat")
    wait_until(lambda: machine.show("exeat.service", "StatusText").startswith("serving serial 4, "))


def bridge(machine):
    """As systemd/README.md has it."""
    machine.do("systemctl", "start", "exeat@next")
    machine.do("systemctl", "restart", "exeat")
    machine.do("systemctl", "stop", "exeat@next")


def test_another_configuration_and_another_binary_take_over_under_load_and_refuse_nobody(machine, traffic):
    config = machine.path("/etc/exeat/exeat.toml")
    config.write_text(re.sub(r'drain_timeout( *)= "30s"', r'drain_timeout\1= "25s"', config.read_text()))
    bridge(machine)
    traffic.say("load")
    for n in range(UPGRADES):
        was = main_pid(machine)
        if n % 2:
            bridge(machine)
        else:
            done = machine.install()
            assert done.returncode == 0 and "exeat:" not in done.stderr, done.stderr + machine.journal()
        assert main_pid(machine) != was
    wait_until(lambda: machine.run("systemctl", "is-active", "exeat@next").stdout == "inactive\n", 120)
    became = traffic.say("end")
    assert became["failed"] == [] and became["done"] > 100 * UPGRADES, became


def test_live_tunnels_drain_in_the_old_process_while_the_new_one_serves(machine, traffic):
    for _ in range(3):
        traffic.say("hold")
    machine.do("systemctl", "start", "exeat@next")
    machine.do("systemctl", "restart", "--no-block", "exeat")
    wait_until(lambda: machine.show("exeat.service", "StatusText") == "draining, 3 connections left")
    assert "exeat_draining 1" in machine.fetch("/metrics")
    assert traffic.say("ping") == 3
    traffic.say("hold")  # in the next one
    traffic.say("drop")
    wait_until(lambda: machine.show("exeat.service", "StatusText").startswith("serving "))
    machine.do("systemctl", "stop", "exeat@next")
    wait_until(lambda: "draining; connections: 3; seconds left: 25" in machine.journal())


def test_one_that_hangs_is_started_anew(machine):
    machine.path("/run/systemd/system/exeat.service.d").mkdir(parents=True)
    soon = machine.path("/run/systemd/system/exeat.service.d/soon.conf")
    soon.write_text("[Service]\nWatchdogSec=3s\nTimeoutAbortSec=1s\n")
    machine.do("systemctl", "daemon-reload")
    bridge(machine)
    was = main_pid(machine)
    machine.do("sh", "-c", f"kill -STOP {was}")
    wait_until(lambda: main_pid(machine) not in ("0", was), 120)
    wait_until(lambda: machine.show("exeat.service", "StatusText").startswith("serving "), 120)
    wait_until(lambda: "Watchdog timeout" in machine.do("journalctl", "--no-pager", "-u", "exeat"))
    soon.unlink()  # a busy machine may not be so quick, and the next tests are about something else
    machine.do("systemctl", "daemon-reload")
    bridge(machine)


def test_what_could_not_start_for_longer_than_systemd_is_patient_heals_by_itself(machine):
    """Without StartLimitIntervalSec=0 systemd gives up after five starts within ten seconds."""
    log = machine.path("/var/log/private/exeat/audit.jsonl")
    aside = log.rename(log.with_name("aside"))
    log.mkdir()
    machine.run("systemctl", "restart", "exeat.service")
    wait_until(lambda: int(machine.show("exeat.service", "NRestarts")) > 7, 120, "it is tried again and again")
    log.rmdir()
    aside.rename(log)
    wait_until(lambda: machine.show("exeat.service", "StatusText").startswith("serving "), 120, "it serves without anybody's help")


def test_a_rotated_log_goes_on_and_proves_the_whole(machine, traffic):
    log = machine.path("/var/log/exeat/audit.jsonl")
    before = log.read_text()
    machine.do("logrotate", "--force", "/etc/logrotate.d/exeat")
    traffic.say("hold")
    wait_until(lambda: log.exists() and log.read_text())
    older = [name for name in machine.do("ls", "/var/log/exeat").split() if name.startswith("audit.jsonl-")]
    assert len(older) == 1 and machine.path(f"/var/log/exeat/{older[0]}").read_text().startswith(before)
    machine.do("exeat", "verify", "--audit", f"/var/log/exeat/{older[0]}", "--audit", "/var/log/exeat/audit.jsonl")


def test_removed_it_is_gone_but_for_what_it_was_told_and_wrote_and_purged_altogether(machine):
    machine.do("dpkg", "--remove", "exeat")
    assert machine.run("systemctl", "is-active", "exeat.service", "exeat.socket").stdout == "inactive\ninactive\n"
    assert not machine.path("/usr/bin/exeat").exists()
    assert machine.path("/etc/exeat/allowlist.toml").exists() and machine.path("/var/log/private/exeat/audit.jsonl").exists()
    machine.do("dpkg", "--purge", "exeat")
    left = {name for name in files(machine) - BEFORE["files"] if not re.match(r"/(run|tmp|var/tmp|var/lib/(systemd|logrotate|private$)|var/log/private$|sys|dev)", name)}
    assert not left, left
    assert "exeat" not in machine.do("systemctl", "list-units", "--all", "--no-pager", "--plain", "exeat*").replace("exeat*", "")
