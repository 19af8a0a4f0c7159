"""The analyst's one move: a client or an entry is quarantined. What is open ends, nothing more is let out, over reloads and restarts, until it is over;
nobody else notices; and all of it is in both logs."""
import datetime
import json
import pathlib
import re
import subprocess
import threading

import pytest
from harness import hello
from harness.client import Reply, ask, connect_reply, connect_request, gone, http_request, open_tunnel, read_to_end
from harness.exeat import BINARY, free_port, run
from harness.http_origin import reply
from harness.preload import Preload
from harness.wait import stays, wait_until

ECHO, OTHER = "echo.quarantine.test:7", "other.quarantine.test:7"
HERE, NEIGHBOUR = "127.0.1.1", "127.0.1.2"


def entry(name, host, port, protocol="tcp"):
    return f'[[allow]]\nname = "{name}"\nhosts = ["{host}.quarantine.test"]\nports = [{port}]\nprotocol = "{protocol}"\n'


GROUP = '[groups.lab]\nsources = ["127.0.0.0/8", "::1/128"]\n'
ENTRIES = [entry("echo", "echo", 7), entry("other", "other", 7), entry("plain", "plain", 80, "http"), entry("tls", "tls", 443, "tls")]


def allowlist(*entries, serial=7):
    return f"serial = {serial}\n{GROUP}" + "".join(entries or ENTRIES)


@pytest.fixture(scope="module", autouse=True)
def origins(lab):
    out = {}
    for name, port in (("echo", 7), ("other", 7), ("tls", 443)):
        host, _ = lab.place(f"{name}.quarantine.test", v6=False)
        out[name] = lab.origin(host, port)
    host, _ = lab.place("plain.quarantine.test", v6=False)
    out["plain"] = lab.http_origin(host, routes={"*": reply(b"thanks")})
    return out


@pytest.fixture
def settings(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    return {"policy": {"state": str(state)}}


@pytest.fixture
def exeat(lab, settings):
    with lab.exeat(allowlist(), **settings) as running:
        yield running


def quarantine(exeat, *argv, lasts="1h", reason="uploads to an unknown host"):
    done = run("quarantine", "--config", exeat.config_path, *argv, *([] if "--lift" in argv else ["--for", lasts, "--reason", reason]))
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def state_file(exeat):
    return pathlib.Path(re.search(r'^state = "(.*)"$', exeat.config_path.read_text(), re.M)[1]) / "quarantine"


def in_force(exeat, n):
    wait_until(lambda: sum(exeat.metric("quarantines", kind=kind) for kind in ("client", "entry")) == n, what=f"{n} are quarantined")
    exeat.caught_up()


def reason_of(exeat, target, source):
    return connect_reply(exeat, target, source=source).reason


def echoes(s):
    s.sendall(b"ping")
    return s.recv(4) == b"ping"


def test_a_client_is_cut_and_refused_and_its_neighbour_is_not(exeat, origins):
    with open_tunnel(exeat, ECHO, source=HERE) as mine, open_tunnel(exeat, ECHO, source=NEIGHBOUR) as theirs:
        assert echoes(mine) and echoes(theirs)
        said = quarantine(exeat, "--client", HERE)
        assert said.startswith(f"client {HERE}: quarantined until ") and said.count("\n") == 1
        assert gone(mine)
        assert echoes(theirs)
        in_force(exeat, 1)
        before = {name: len(origins[name].peers) for name in ("echo", "other")}
        assert reason_of(exeat, ECHO, HERE) == reason_of(exeat, OTHER, HERE) == "quarantined"
        assert {name: len(origins[name].peers) for name in ("echo", "other")} == before
        assert reason_of(exeat, OTHER, NEIGHBOUR) is None
        assert echoes(theirs)
    exeat.settled()
    closed = exeat.audit(event__action="close", source__ip=HERE)
    assert [line["event.reason"] for line in closed] == ["quarantined"]
    assert {line["event.reason"] for line in exeat.audit(event__action="deny")} == {"quarantined"}
    told = [line["message"] for line in exeat.audit(event__action="quarantine")]
    assert len(told) == 1 and told[0].startswith(f"quarantined: client {HERE} until ") and told[0].endswith(": uploads to an unknown host")
    assert 'quarantined' in exeat.log()


def test_an_entry_is_cut_for_everybody_and_others_are_not(exeat):
    with open_tunnel(exeat, ECHO, source=HERE) as a, open_tunnel(exeat, ECHO, source=NEIGHBOUR) as b, open_tunnel(exeat, OTHER, source=HERE) as c:
        assert echoes(a) and echoes(b) and echoes(c)
        quarantine(exeat, "--entry", "echo")
        assert gone(a) and gone(b)
        in_force(exeat, 1)
        assert echoes(c)
        assert reason_of(exeat, ECHO, HERE) == "quarantined"
        assert reason_of(exeat, OTHER, NEIGHBOUR) is None


def test_every_way_in_is_shut(lab, settings, origins):
    port = free_port()
    with lab.exeat(allowlist(), listen=[{"mode": "sni", "address": f"127.0.0.1:{port}", "port": 443}], **settings) as exeat:
        kept = exeat.connect(source=HERE)
        request = http_request("GET", "http://plain.quarantine.test/")
        kept.sendall(request)
        assert Reply(kept).status == 200
        quarantine(exeat, "--client", "127.0.1.0/24")
        in_force(exeat, 1)
        kept.sendall(request)  # on a connection that was there before
        assert Reply(kept).reason == "quarantined"
        with exeat.connect(source=HERE) as s:
            assert ask(s, request).reason == "quarantined"
        assert reason_of(exeat, "tls.quarantine.test:443", HERE) == "quarantined"
        with exeat.connect(port=port, source=HERE) as s:
            s.sendall(hello.genuine("tls.quarantine.test"))
            assert read_to_end(s)[:1] in (b"\x15", b"")
        kept.close()
        exeat.settled()
        assert {line["event.reason"] for line in exeat.audit(event__action="deny")} == {"quarantined"}
        assert len(exeat.audit(event__action="deny")) == 4


def test_report_mode_lets_nothing_through(lab, settings):
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    text = f'mode = "report"\nreport_until = {soon:%Y-%m-%dT%H:%M:%SZ}\n' + allowlist()
    with lab.exeat(text, **settings) as exeat:
        quarantine(exeat, "--entry", "echo")
        in_force(exeat, 1)
        assert reason_of(exeat, ECHO, HERE) == "quarantined"


def test_it_outlives_reloads_and_restarts_and_a_list_that_does_not_load(lab, settings):
    with lab.exeat(allowlist(), **settings) as exeat:
        exeat.reload("junk", result="error")
        quarantine(exeat, "--client", HERE)
        in_force(exeat, 1)
        exeat.reload(allowlist(serial=8))
        assert reason_of(exeat, ECHO, HERE) == "quarantined"
    with lab.exeat(allowlist(serial=8), **settings) as exeat:
        assert reason_of(exeat, ECHO, HERE) == "quarantined"
        in_force(exeat, 1)
        wait_until(lambda: len(exeat.audit(event__action="quarantine")) == 1, what="the new process tells it, too")


def test_a_tunnel_that_a_reload_moves_into_a_quarantined_entry_ends(exeat):
    quarantine(exeat, "--entry", "other")
    in_force(exeat, 1)
    with open_tunnel(exeat, ECHO, source=HERE) as s:
        assert echoes(s)
        exeat.reload(allowlist(entry("other", "echo", 7), serial=8))
        assert gone(s)
    assert reason_of(exeat, ECHO, HERE) == "quarantined"


@pytest.mark.parametrize("edit", [[entry("renamed", "echo", 7)], [entry("first", "echo", 7), entry("echo", "echo", 7)]], ids=["renamed", "before it"])
@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "while it is down"])
def test_an_entry_that_lets_out_what_a_quarantined_one_did_is_quarantined_too(lab, settings, edit, running):
    new = edit[0].split('"')[1]
    with lab.exeat(allowlist(), **settings) as exeat:
        quarantine(exeat, "--entry", "echo")
        wait_until(lambda: connect_reply(exeat, ECHO).reason == "quarantined")
        if running:
            exeat.reload(allowlist(*edit, ENTRIES[1]))
        else:
            exeat.stop()
            exeat.write_allowlist(allowlist(*edit, ENTRIES[1]))
            exeat.start()
        assert connect_reply(exeat, ECHO).reason == "quarantined"
        assert connect_reply(exeat, OTHER).status == 200
        assert f"entry {new}" in run("quarantine", "--config", exeat.config_path, "--list").stdout
        exeat.stop()
        exeat.start()
        assert connect_reply(exeat, ECHO).reason == "quarantined"
        quarantine(exeat, "--entry", new, "--lift")
        wait_until(lambda: connect_reply(exeat, ECHO).status == 200)


def test_a_list_right_after_a_quarantine_does_not_outrun_it(exeat):
    for n in range(4):
        quarantine(exeat, "--entry", "echo" if n == 0 else f"echo{n - 1}")
        exeat.reload(allowlist(entry(f"echo{n}", "echo", 7)))
        assert connect_reply(exeat, ECHO).reason == "quarantined"


def test_of_two_quarantines_of_what_is_one_entry_now_the_longer_holds(exeat):
    quarantine(exeat, "--entry", "echo", lasts="1m")
    quarantine(exeat, "--entry", "other", lasts="5h")
    both = entry("both", "echo", 7).replace('"echo.quarantine.test"', '"echo.quarantine.test", "other.quarantine.test"')
    exeat.reload(allowlist(both))
    listed = {q["target"]: q for q in json.loads(run("quarantine", "--config", exeat.config_path, "--list", "--format", "json").stdout)}
    assert listed["entry both"]["until"] == listed["entry other"]["until"]


def test_however_often_an_entry_is_renamed_its_quarantine_can_be_read(exeat):
    quarantine(exeat, "--entry", "echo", reason="r" * 1000)
    for n in range(30):
        exeat.reload(allowlist(entry(f"a-name-of-more-than-thirty-octets-{n}", "echo", 7)))
    assert connect_reply(exeat, ECHO).reason == "quarantined"
    exeat.stop()
    exeat.start()
    assert connect_reply(exeat, ECHO).reason == "quarantined"


def test_an_entry_that_becomes_more_than_may_be_quarantined_is_quarantined_all_the_same(exeat):
    hosts = ", ".join(f'"h{n}.quarantine.test"' for n in range(300))
    whole = f'[[allow]]\nname = "whole"\nhosts = ["echo.quarantine.test", {hosts}]\nports = [7]\nprotocol = "tcp"\n'
    exeat.reload(allowlist(whole))
    quarantine(exeat, "--entry", "whole")
    exeat.reload(allowlist(entry("part", "echo", 7), *(entry(f"part{n}", f"h{n}", 7) for n in range(300))))
    assert connect_reply(exeat, ECHO).reason == "quarantined"
    exeat.stop()
    exeat.start()
    assert connect_reply(exeat, ECHO).reason == "quarantined"
    quarantine(exeat, "--entry", "part", "--lift")
    wait_until(lambda: connect_reply(exeat, ECHO).status == 200)


def test_it_ends_by_itself_by_the_earlier_of_two_clocks(lab, settings, tmp_path):
    clock = Preload(tmp_path / "clock", allocations=False)
    with lab.exeat(allowlist(), before=clock.before, **settings) as exeat:
        quarantine(exeat, "--client", HERE, lasts="1m")
        in_force(exeat, 1)
        clock.tell(wall_offset=86_400)  # whoever sets the clock ends nothing
        wait_until(lambda: exeat.metric("clock_step_seconds") > 0)
        stays(lambda: exeat.metric("quarantines", kind="client") == 1, 1, "it holds")
        assert reason_of(exeat, ECHO, HERE) == "quarantined"
        clock.tell(wall_offset=0)
        wait_until(lambda: exeat.metric("clock_step_seconds") == 0)
        clock.tell(wall_offset=120, boot_offset=120)  # time passes
        in_force(exeat, 0)
        assert reason_of(exeat, ECHO, HERE) is None
        wait_until(lambda: "a quarantine has ended" in exeat.log())
        assert len(exeat.audit(event__action="quarantine")) == 2


def test_explain_says_what_is_quarantined(exeat):
    explain = lambda client, *more: run("explain", "--config", exeat.config_path, "--client", client, *more, ECHO)
    assert explain(HERE).returncode == 0
    quarantine(exeat, "--client", HERE, reason="uploads at night")
    done = explain(HERE)
    assert done.returncode == 1 and f"'{ECHO}': quarantined by 'echo'" in done.stdout
    assert re.search(rf"client {HERE} is quarantined until \S+Z by .+: uploads at night", done.stdout) and "without that, 'echo' would allow the target" in done.stdout
    assert json.loads(explain(HERE, "--format", "json").stdout)[0]["verdict"] == "quarantined"
    assert explain(NEIGHBOUR).returncode == 0
    quarantine(exeat, "--entry", "echo")
    assert "entry echo is quarantined" in explain(NEIGHBOUR).stdout
    quarantine(exeat, "--client", HERE, "--lift", "--reason", "done")
    quarantine(exeat, "--entry", "echo", "--lift", "--reason", "done")
    assert explain(HERE).returncode == 0
    state_file(exeat).write_text("client = 7\n")
    broken = explain(HERE)
    assert broken.returncode == 1 and broken.stdout == "" and "what is quarantined is not known" in broken.stderr


def test_it_is_listed_and_can_be_lifted(exeat):
    listed = lambda *more: run("quarantine", "--config", exeat.config_path, "--list", *more).stdout
    assert listed() == "nothing is quarantined\n"
    quarantine(exeat, "--client", HERE, lasts="2h")
    quarantine(exeat, "--entry", "echo", reason="a reason")
    in_force(exeat, 2)
    assert f"client {HERE}" in listed() and "entry echo" in listed() and "a reason" in listed()
    told = json.loads(listed("--format", "json"))
    assert [each["target"] for each in told] == [f"client {HERE}", "entry echo"]
    wait_until(lambda: len(json.loads(exeat.fetch("/api/status")[1])["quarantines"]) == 2, what="the page tells it")
    quarantine(exeat, "--client", HERE, lasts="1m")  # of two the later end holds
    assert json.loads(listed("--format", "json"))[0]["until"] == told[0]["until"]
    assert quarantine(exeat, "--client", HERE, "--lift", "--reason", "false alarm") == f"client {HERE}: lifted\n"
    in_force(exeat, 1)
    assert reason_of(exeat, OTHER, HERE) is None
    wait_until(lambda: len([line for line in exeat.audit(event__action="quarantine") if line["message"].startswith("a quarantine was lifted") and line["message"].endswith(": false alarm")]) == 1)
    assert not [line for line in exeat.audit(event__action="quarantine") if "lifted" in line["message"] and "a reason" in line["message"]]


def test_a_file_that_cannot_be_read_changes_nothing_and_is_told(lab, settings):
    with lab.exeat(allowlist(), **settings) as exeat:
        file = state_file(exeat)
        quarantine(exeat, "--client", HERE)
        in_force(exeat, 1)
        good = file.read_text()
        file.write_text("junk")
        wait_until(lambda: exeat.metric("quarantine_readable") == 0)
        assert reason_of(exeat, ECHO, HERE) == "quarantined"
        assert "what is quarantined cannot be read" in exeat.log()
        wait_until(lambda: "warning: what is quarantined cannot be read" in exeat.fetch("/readyz")[1])
        done = run("quarantine", "--config", exeat.config_path, "--client", NEIGHBOUR, "--for", "1h", "--reason", "x")
        assert done.returncode == 1 and "quarantine:1:" in done.stderr and file.read_text() == "junk"
        refused = run("serve", "--config", exeat.config_path)
        assert refused.returncode == 1
        file.write_text(good)
        wait_until(lambda: exeat.metric("quarantine_readable") == 1)
        assert reason_of(exeat, ECHO, HERE) == "quarantined"
        file.unlink()
        in_force(exeat, 0)


def test_one_that_lasts_longer_takes_the_place_of_the_other_and_nobody_is_told_that_it_was_lifted(exeat):
    quarantine(exeat, "--entry", "echo")
    in_force(exeat, 1)
    quarantine(exeat, "--entry", "echo", lasts="2h")
    told = lambda: [line["message"].partition(":")[0] for line in exeat.audit(event__action="quarantine")]
    wait_until(lambda: told() == ["quarantined", "quarantined"])
    assert reason_of(exeat, ECHO, HERE) == "quarantined"


def test_whatever_the_umask_exeat_can_read_it(exeat):
    done = subprocess.run(["sh", "-c", 'umask 077; exec "$0" "$@"', BINARY, "quarantine", "--config", exeat.config_path, "--client", HERE, "--for", "1h", "--reason", "x"], check=False)
    assert done.returncode == 0 and state_file(exeat).stat().st_mode & 0o777 == 0o644


def test_it_says_when_no_exeat_is_there_to_take_it(lab, settings):
    with lab.exeat(allowlist(), **settings) as exeat:
        assert "the running exeat takes it within a second" in quarantine(exeat, "--client", HERE)
    assert "no exeat runs with this state directory now" in quarantine(exeat, "--client", NEIGHBOUR)


@pytest.mark.parametrize("argv, code, says", [
    (("--for", "1h", "--reason", "x"), 2, "give --client, --service-account or --entry"),
    (("--client", HERE, "--entry", "echo", "--for", "1h", "--reason", "x"), 2, "only one of them"),
    (("--client", HERE, "--reason", "x"), 2, "give --for and --reason"),
    (("--client", HERE, "--for", "1h"), 2, "give --for and --reason"),
    (("--client", "no address", "--for", "1h", "--reason", "x"), 1, "--client: "),
    (("--client", "10.1.2.3/8", "--for", "1h", "--reason", "x"), 1, "--client: "),
    (("--client", HERE, "--for", "5", "--reason", "x"), 1, "--for must be"),
    (("--client", HERE, "--for", "32d", "--reason", "x"), 1, "--for must be"),
    (("--client", HERE, "--for", "1h", "--reason", "two\nlines"), 1, "--reason must be one line"),
    (("--client", HERE, "--for", "1h", "--reason", "x" * 2000), 1, "--reason must be one line"),
    (("--entry", "echoes", "--for", "1h", "--reason", "x"), 1, "has no entry 'echoes'"),
    (("--client", HERE, "--lift"), 1, "is not quarantined"),
])
def test_a_wrong_call_says_why_and_changes_nothing(exeat, argv, code, says):
    done = run("quarantine", "--config", exeat.config_path, *argv)
    assert done.returncode == code and says in done.stderr and not done.stdout
    assert not state_file(exeat).exists() or "[[quarantine]]" not in state_file(exeat).read_text()


def test_without_a_state_directory_it_says_what_to_write(lab):
    with lab.exeat(allowlist()) as exeat:
        done = run("quarantine", "--config", exeat.config_path, "--client", HERE, "--for", "1h", "--reason", "x")
        assert done.returncode == 1 and "write state = " in done.stderr


def test_what_is_being_set_up_is_refused_as_well(lab, settings):
    """The answer of the destination is still awaited when the quarantine comes."""
    host, _ = lab.place("hole.quarantine.test", v6=False)
    lab.topology.blackhole(host)
    with lab.exeat(allowlist(*ENTRIES, entry("hole", "hole", 7)), limits={"connect_timeout": "60s"}, **settings) as exeat, exeat.connect(source=HERE) as s:
        s.sendall(connect_request("hole.quarantine.test:7"))
        wait_until(lambda: exeat.metric("connections_active") == 1)
        exeat.caught_up()
        quarantine(exeat, "--client", HERE)
        assert Reply(s).reason == "quarantined"


def test_what_a_slow_origin_has_not_taken_of_a_request_it_never_gets(lab, settings):
    """Once exeat has nothing open any more, its kernel has nothing left to deliver either: the origin, which reads only then, meets a reset."""
    host, _ = lab.place("slow.quarantine.test", v6=False)
    reads = threading.Event()

    def serve(peer):
        reads.wait(120)
        while peer.recv():
            pass

    slow = lab.origin(host, 80, serve=serve, buffer=4096)
    with lab.exeat(allowlist(entry("slow", "slow", 80, "http")), **settings) as exeat, exeat.connect(source=HERE) as s:
        s.settimeout(0.5)
        with pytest.raises((TimeoutError, BlockingIOError)):  # the path is full
            s.sendall(http_request("POST", "http://slow.quarantine.test/", ["Content-Length: 100000000"]) + bytes(64 << 20))
        quarantine(exeat, "--client", HERE)
        in_force(exeat, 1)
        wait_until(lambda: exeat.metric("connections_active") == 0)
        reads.set()
        wait_until(lambda: slow.peers[0].failed is not None or slow.peers[0].ended)
        assert slow.peers[0].failed is not None
