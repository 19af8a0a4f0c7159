"""The systemd units that we ship, held against systemd's own checks, against what exeat calls, and against conf/exeat.toml."""
import re
import shutil
import subprocess
import tomllib

import pytest
from harness.exeat import BINARY, REPOSITORY
from harness.wait import seconds

UNITS = REPOSITORY / "systemd"
SERVICES = ["exeat.service", "exeat@.service"]


@pytest.fixture(scope="module")
def analyze():
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze here (Debian package systemd)")

    def run(*argv, **variables):
        return subprocess.run(["systemd-analyze", *map(str, argv)], capture_output=True, text=True, timeout=seconds(60), check=False, env={"PATH": "/usr/bin:/bin", **variables})

    return run


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """As installed, but for where the binary lies."""
    to = tmp_path_factory.mktemp("units")
    for unit in (u for u in UNITS.iterdir() if u.suffix in (".service", ".socket")):
        (to / unit.name).write_text(unit.read_text().replace("/usr/bin/exeat", BINARY))
    return to


def settings(name):
    """Every assignment of a unit, in order: lists of values by key."""
    out = {}
    for line in (UNITS / name).read_text().splitlines():
        if found := re.match(r"(\w+)=(.*)", line):
            out.setdefault(found[1], []).append(found[2])
    return out


def test_systemd_finds_nothing_wrong_with_the_units(analyze, units):
    named = [units / unit.name.replace("@.", "@next.") for unit in sorted(units.iterdir())]
    done = analyze("verify", "--man=no", *named, SYSTEMD_UNIT_PATH=f"{units}:")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", SERVICES)
def test_the_service_is_as_little_exposed_as_one_that_talks_to_the_network_can_be(analyze, units, name):
    done = analyze("security", "--offline=true", "--threshold=15", units / name.replace("@.", "@next."))
    assert done.returncode == 0, done.stdout
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)[1]) <= 1.5


def expanded(analyze, words):
    out = set()
    for word in words:
        if not word.startswith("@"):
            out.add(word)
            continue
        told = analyze("syscall-filter", word).stdout.splitlines()[1:]
        out |= expanded(analyze, [line.strip() for line in told if line.strip() and not line.strip().startswith("#")])
    return out


def test_the_service_lets_exeat_call_what_exeat_lets_itself_call(analyze):
    allowed = set()
    for value in settings("exeat.service")["SystemCallFilter"]:
        calls = expanded(analyze, value.lstrip("~").split())
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    source = (REPOSITORY / "src/ops/process/system_calls.cpp").read_text()
    ours = source[:source.index("constexpr int intruders")] + source[source.index("void allow_sockets"):source.index("#if defined(__SANITIZE")]
    wanted = set(re.findall(r"SCMP_SYS\((\w+)\)", ours)) | {"listen", "bind", "socket", "seccomp", "prctl", "landlock_restrict_self", "execve"}
    assert len(wanted) > 100 and not wanted - allowed


def test_every_listener_of_the_shipped_configuration_has_its_socket_unit():
    listeners = tomllib.loads((REPOSITORY / "conf/exeat.toml").read_text())["listen"]
    sockets = [settings(unit.name) for unit in UNITS.glob("*.socket")]
    held = {(name, address) for s in sockets for name in s["FileDescriptorName"] for address in s["ListenStream"]}
    assert held == {(each.get("name", each["mode"]), each["address"]) for each in listeners}
    for s in sockets:
        assert s["Service"] == ["exeat.service"] and s["BindIPv6Only"] == ["ipv6-only"] and "ReusePort" not in s and "Accept" not in s


@pytest.mark.parametrize("name", SERVICES)
def test_the_service_hears_and_obeys_what_exeat_says_and_wants(name):
    service = settings(name)
    assert service["Type"] == ["notify"] and "WatchdogSec" in service and service["NonBlocking"] == ["yes"]
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == [""]
    assert service["StateDirectory"] == service["LogsDirectory"] == service["ConfigurationDirectory"] == ["exeat"]
    assert [line.split()[0] for line in service["ExecReload"]] == ["/usr/bin/exeat", "/bin/sh"]  # its kill: kill(1) is in no essential package


@pytest.mark.parametrize("name", SERVICES)
def test_what_cannot_start_is_tried_again_for_as_long_as_it_takes(name):
    """systemd gives up after five starts in ten seconds, unless it is told not to; exeat exits 1 when its disk is full."""
    service = settings(name)
    text = (UNITS / name).read_text()
    assert service["StartLimitIntervalSec"] == ["0"] and text.index("StartLimitIntervalSec=") < text.index("[Service]"), "of the unit, or systemd ignores it"
    assert service["Restart"] == ["on-failure"] and service["RestartSec"] == ["1s"] and "SuccessExitStatus" not in service and "RestartPreventExitStatus" not in service


def test_the_second_service_differs_only_in_what_two_may_not_share():
    one, two = ((UNITS / name).read_text() for name in SERVICES)
    differing = set(one.splitlines()) ^ set(two.splitlines())
    assert all(re.match(r"#|Description=|ExecStart=|Sockets=|Requires=|After=|\[Install\]|WantedBy=", line) for line in differing if line), differing
