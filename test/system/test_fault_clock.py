"""I13, I14: the machine's clock is stepped by a day under a running exeat. What has expired stays expired; what measures a wait does not notice."""
import datetime
import itertools

import pytest
from harness.client import connect_reply, gone, open_tunnel, read_exactly
from harness.preload import Preload
from harness.wait import stays, wait_until

DAY = 86_400
ECHO = "echo.clock.test:7"
serials = itertools.count(1)


def after(seconds):
    """A moment of the allowlist, so far from now."""
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return f"{then:%Y-%m-%dT%H:%M:%SZ}"


def allowlist(rule="", settings=""):
    return f"""
serial = {next(serials)}
{settings}
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.clock.test"]
ports = [7]
protocol = "tcp"
{rule}
"""


@pytest.fixture(scope="module", autouse=True)
def echo(lab):
    host, _ = lab.place("echo.clock.test", v6=False)
    return lab.origin(host, 7)


@pytest.fixture
def clock(tmp_path):
    return Preload(tmp_path / "clock", allocations=False)


def alive(s):
    s.sendall(b"ping")
    return read_exactly(s, 4) == b"ping"


def reason(exeat):
    return connect_reply(exeat, ECHO).reason


def test_a_step_on_expires_a_grant_and_closes_its_tunnels_and_a_step_back_revives_neither(lab, clock):
    with lab.exeat(allowlist(rule=f"expires = {after(3600)}"), before=clock.before) as exeat:
        with open_tunnel(exeat, ECHO) as s:
            assert alive(s)
            clock.tell(wall_offset=DAY)
            assert gone(s)
        wait_until(lambda: exeat.metric("tunnels_closed_total", cause="expired") == 1)
        assert reason(exeat) == "expired"
        clock.tell(wall_offset=-DAY)
        stays(lambda: reason(exeat) == "expired", 0.5)
        exeat.reload(allowlist(rule=f"expires = {after(3600)}"))
        assert reason(exeat) == "expired", "a reload does not revive it either"
        exeat.reload(allowlist(rule=f"expires = {after(2 * DAY)}"))
        assert reason(exeat) is None, "a grant for later does"


def test_a_list_that_has_expired_stays_so_when_the_clock_goes_back(lab, clock):
    with lab.exeat(allowlist(settings=f"expires = {after(3600)}"), before=clock.before) as exeat:
        assert reason(exeat) is None
        clock.tell(wall_offset=DAY)
        wait_until(lambda: reason(exeat) == "policy_expired")
        assert exeat.fetch("/readyz")[0] == 503
        clock.tell(wall_offset=0)
        stays(lambda: reason(exeat) == "policy_expired", 0.5)
        assert exeat.fetch("/readyz")[0] == 503


def test_report_mode_that_has_ended_does_not_begin_again_when_the_clock_goes_back(lab, clock):
    settings = f'mode = "report"\nreport_until = {after(3600)}'
    other = "other.clock.test:443"
    with lab.exeat(allowlist(settings=settings), before=clock.before) as exeat:
        assert exeat.metrics().has("exeat_policy_info", mode="report")
        assert connect_reply(exeat, other).reason == "dns_failure", "it is let pass, and is nowhere"
        clock.tell(wall_offset=DAY)
        wait_until(lambda: connect_reply(exeat, other).reason == "not_allowed")
        clock.tell(wall_offset=-DAY)
        stays(lambda: connect_reply(exeat, other).reason == "not_allowed", 0.5)
        assert exeat.metrics().has("exeat_policy_info", mode="enforce")


@pytest.mark.parametrize("step", [DAY, -DAY])
def test_a_step_moves_no_deadline_and_lines_carry_the_machines_time(lab, clock, step):
    with lab.exeat(allowlist(), before=clock.before, limits={"idle_timeout": "1h", "head_timeout": "5m"}) as exeat:
        with open_tunnel(exeat, ECHO) as s, exeat.connect() as waiting:
            assert alive(s)
            clock.tell(wall_offset=step)
            stays(lambda: alive(s), 0.5)
            assert exeat.metric("tunnel_oldest_age_seconds") < 600
            waiting.sendall(f"CONNECT {ECHO} HTTP/1.1\r\nHost: {ECHO}\r\n\r\n".encode())
            assert b" 200 " in waiting.recv(1000), "its time was not over"
        lines = wait_until(lambda: exeat.audit(event__action="close"))
        opened = exeat.audit(event__action="open")
        assert all(line["event.duration"] < 600e9 for line in lines)
        assert abs(moment(lines[0]) - moment(opened[0])) > DAY - 600
        assert exeat.metric("tunnels_closed_total", cause="finished") + exeat.metric("tunnels_closed_total", cause="client_reset") == 2


def moment(line):
    return datetime.datetime.fromisoformat(line["@timestamp"].replace("Z", "+00:00")).timestamp()


def test_idle_time_runs_on_while_the_clock_goes_back(lab, clock):
    with lab.exeat(allowlist(), before=clock.before, limits={"idle_timeout": "600ms"}) as exeat:
        with open_tunnel(exeat, ECHO) as s:
            clock.tell(wall_offset=-DAY)
            assert gone(s)
        wait_until(lambda: exeat.metric("tunnels_closed_total", cause="idle_timeout") == 1)


def test_what_expired_before_a_restart_stays_expired_after_it_whatever_the_clock_says_then(lab, clock, tmp_path):
    listed = allowlist(rule=f"expires = {after(3600)}")
    state = tmp_path / "state"
    state.mkdir()
    with lab.exeat(listed, before=clock.before, policy={"state": str(state)}) as exeat:
        assert reason(exeat) is None
        clock.tell(wall_offset=DAY)
        wait_until(lambda: reason(exeat) == "expired")
    with lab.exeat(listed, policy={"state": str(state)}) as exeat:
        assert reason(exeat) == "expired"
        assert "the clock stands before the time of the last run" in exeat.log()
    (state / "uploads").unlink()
    with lab.exeat(listed, policy={"state": str(state)}) as exeat:
        assert reason(exeat) is None
