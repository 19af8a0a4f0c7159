"""I13, I14: the machine's clock is stepped by a day under a running exeat. What it makes expire is denied as long as the clock stands there, and for
good after ten minutes; a step back revives nothing; what measures a wait does not notice."""
import datetime
import itertools
import re
import time

import pytest
from harness.client import alive, connect_reply, gone, open_tunnel
from harness.preload import Preload
from harness.wait import stays, wait_everywhere, wait_until

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


def reason(exeat):
    return connect_reply(exeat, ECHO).reason


def stepped(exeat):
    return exeat.metric("clock_step_seconds")


def for_ten_minutes(exeat, clock, wall=0):
    """Both clocks go on alike, by a little more."""
    wait_until(lambda: (stepped(exeat) != 0) == (wall != 0))
    clock.tell(wall_offset=wall + 660, boot_offset=660)
    wait_until(lambda: stepped(exeat) == 0, what="what it shows is certain")


def test_a_step_on_expires_a_grant_and_closes_its_tunnels_and_a_step_back_is_told(lab, clock):
    with lab.exeat(allowlist(rule=f"expires = {after(3600)}"), before=clock.before) as exeat:
        wait_until(lambda: exeat.metrics().has("exeat_clock_step_seconds") and stepped(exeat) == 0)
        with open_tunnel(exeat, ECHO) as s:
            assert alive(s)
            clock.tell(wall_offset=DAY)
            assert gone(s)
        wait_until(lambda: exeat.metric("tunnels_closed_total", cause="expired") == 1)
        wait_everywhere(lambda: reason(exeat) == "expired")
        wait_until(lambda: abs(stepped(exeat) - DAY) <= 1 and exeat.metric("clock_steps_total") == 1)
        assert "error: the clock was set to another time; by: 86" in exeat.log()
        exeat.reload(allowlist(rule=f"expires = {after(2 * DAY)}"))
        assert reason(exeat) is None, "a grant for later is one"
        exeat.reload(allowlist(rule=f"expires = {after(3600)}"))
        assert reason(exeat) == "expired"
        clock.tell(wall_offset=0)
        wait_everywhere(lambda: reason(exeat) is None, "when the clock is well, so is exeat")
        wait_until(lambda: stepped(exeat) == 0 and "the clock is well again; was wrong by: 86" in exeat.log())
        assert exeat.metric("clock_steps_total") == 1


def test_a_step_that_lasts_for_ten_minutes_is_believed_and_a_step_back_then_revives_nothing(lab, clock):
    with lab.exeat(allowlist(rule=f"expires = {after(3600)}"), before=clock.before) as exeat:
        clock.tell(wall_offset=DAY)
        for_ten_minutes(exeat, clock, wall=DAY)
        for back in (0, -DAY):
            clock.tell(wall_offset=back)
            wait_until(lambda: stepped(exeat) < -3600)
            stays(lambda: reason(exeat) == "expired", 0.5)
        exeat.reload(allowlist(rule=f"expires = {after(3600)}"))
        assert reason(exeat) == "expired", "a reload does not revive it either"
        exeat.reload(allowlist(rule=f"expires = {after(2 * DAY)}"))
        assert reason(exeat) is None, "a grant for later does"


def test_a_step_back_does_not_revive_what_has_expired(lab, clock):
    clock.tell(wall_offset=DAY)  # the right time, then
    with lab.exeat(allowlist(rule=f"expires = {after(3600)}"), before=clock.before) as exeat:
        assert reason(exeat) == "expired"
        clock.tell(wall_offset=0)
        wait_until(lambda: stepped(exeat) < -3600)
        stays(lambda: reason(exeat) == "expired", 0.5)


def test_a_list_that_the_clock_made_expire_is_in_force_again_without_a_restart(lab, clock, tmp_path):
    """Four hundred days for two seconds, and a list that could not be loaded meanwhile."""
    listed = allowlist(settings=f"expires = {after(3600)}")
    state = tmp_path / "state"
    state.mkdir()
    with lab.exeat(listed, before=clock.before, policy={"state": str(state)}) as exeat:
        assert reason(exeat) is None
        clock.tell(wall_offset=400 * DAY)
        wait_everywhere(lambda: reason(exeat) == "policy_expired")
        assert exeat.fetch("/readyz")[0] == 503
        later = allowlist(settings=f"expires = {after(7200)}")
        exeat.write_allowlist(later)
        time.sleep(1)  # it is read, and has expired as well
        clock.tell(wall_offset=0)
        wait_everywhere(lambda: reason(exeat) is None)
        serial = re.search(r"serial = (\d+)", later)[1]
        wait_until(lambda: exeat.metrics().has("exeat_policy_info", serial=serial))
        assert exeat.fetch("/readyz")[0] == 200
    with lab.exeat(later, policy={"state": str(state)}) as exeat:
        assert reason(exeat) is None, "nor does the next process believe it"


def test_report_mode_that_has_ended_does_not_begin_again_when_the_clock_goes_back(lab, clock):
    settings = f'mode = "report"\nreport_until = {after(3600)}'
    other = "other.clock.test:443"
    with lab.exeat(allowlist(settings=settings), before=clock.before) as exeat:
        assert exeat.metrics().has("exeat_policy_info", mode="report")
        assert connect_reply(exeat, other).reason == "dns_failure", "it is let pass, and is nowhere"
        clock.tell(wall_offset=DAY)
        wait_everywhere(lambda: connect_reply(exeat, other).reason == "not_allowed")
        for_ten_minutes(exeat, clock, wall=DAY)
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
        closed = lambda cause: exeat.metric("tunnels_closed_total", cause=cause)
        wait_until(lambda: closed("finished") + closed("client_reset") == 2)


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
        for_ten_minutes(exeat, clock, wall=DAY)
    with lab.exeat(listed, policy={"state": str(state)}) as exeat:
        assert reason(exeat) == "expired"
        assert "the clock is behind the last run" in exeat.log()
    (state / "uploads").unlink()
    with lab.exeat(listed, policy={"state": str(state)}) as exeat:
        assert reason(exeat) is None
