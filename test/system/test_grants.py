"""allowlist.d: more files of the same policy, and the verbs that write and list them."""
import datetime
import json
import re
import shutil

import pytest
from harness.client import connect_reply, gone, open_tunnel, read_exactly
from harness.exeat import run
from harness.preload import Preload
from harness.wait import wait_everywhere, wait_until

ALLOWLIST = """serial = 1
expires = 2099-01-01T00:00:00Z
[groups.lab]
sources = ["127.0.0.1"]
[groups.other]
sources = ["127.0.0.9"]
[[allow]]
name = "base"
hosts = ["base.grants.test"]
ports = [7]
protocol = "tcp"
owner = "net"
reason = "tests"
"""


@pytest.fixture(scope="module", autouse=True)
def origin(lab):
    host, _ = lab.place("base.grants.test", "new.grants.test", "more.grants.test", v6=False)
    return lab.origin(host, 7)


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


@pytest.fixture
def beside(exeat):
    """allowlist.d of the running exeat, empty again afterwards."""
    at = exeat.allowlist_path.with_suffix(".d")
    yield at
    shutil.rmtree(at, ignore_errors=True)
    wait_until(lambda: reason(exeat) == "not_allowed" and exeat.metric("policy_last_reload_success") == 1)
    exeat.caught_up()


def reason(exeat, host="new.grants.test", source=None):
    return connect_reply(exeat, f"{host}:7", source=source).reason


def grant(at, *more, entry="figures", host="new.grants.test", lasts="1h"):
    return run("grant", "--allowlist", at, "--entry", entry, "--for", lasts, "--host", host, "--port", 7, "--protocol", "tcp", "--owner", "eve",
               "--reason", "camera-ready", *more)


def test_a_grant_opens_for_its_group_and_its_removal_closes_it_with_its_tunnels(exeat, beside):
    assert reason(exeat) == "not_allowed"
    done = grant(exeat.allowlist_path, "--group", "lab", "--ticket", "NET-7")
    assert done.returncode == 0 and done.stderr == "" and "figures.toml: open until" in done.stdout, done.stderr
    wait_until(lambda: reason(exeat) is None)
    exeat.caught_up()
    assert reason(exeat, source="127.0.0.9") == "not_allowed"
    listed = run("grants", "--allowlist", exeat.allowlist_path)
    assert re.fullmatch(r"\S+Z  figures  new\.grants\.test  for lab\n    eve: camera-ready, NET-7 \(.*allowlist\.d/figures\.toml:3\)\n", listed.stdout), listed.stdout
    told = json.loads(run("grants", "--allowlist", exeat.allowlist_path, "--format", "json").stdout)
    assert [(g["entry"], g["hosts"], g["groups"], g["owner"]) for g in told] == [("figures", ["new.grants.test"], ["lab"], "eve")]
    assert exeat.metric("entry_expires_timestamp_seconds", entry="figures") > 0
    with open_tunnel(exeat, "new.grants.test:7") as s:
        s.sendall(b"ping")
        assert read_exactly(s, 4) == b"ping"
        (beside / "figures.toml").unlink()
        assert gone(s)
    wait_until(lambda: reason(exeat) == "not_allowed")


def test_a_grant_closes_by_itself_and_its_file_does_no_harm_afterwards(lab, tmp_path):
    clock, end = Preload(tmp_path / "clock", allocations=False), datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    text = '[[allow]]\nname = "soon"\nhosts = ["new.grants.test"]\nports = [7]\nprotocol = "tcp"\n'
    with lab.exeat(ALLOWLIST, before=clock.before) as exeat:
        beside = exeat.allowlist_path.with_suffix(".d")
        beside.mkdir()
        (beside / "soon.toml").write_text(f"expires = {end:%Y-%m-%dT%H:%M:%SZ}\n{text}")
        wait_until(lambda: reason(exeat) is None)
        exeat.caught_up()
        with open_tunnel(exeat, "new.grants.test:7") as s:
            clock.tell(wall_offset=2 * 3600)
            assert gone(s)
        wait_everywhere(lambda: reason(exeat) == "expired")
        exeat.reload(ALLOWLIST + "# again\n")
        assert reason(exeat) == "expired" and reason(exeat, "base.grants.test") is None
        (beside / "soon.toml").write_text(f"expires = {end - datetime.timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}\n{text}")  # as the file will be seen then
        assert run("grants", "--allowlist", exeat.allowlist_path).stdout == "no entry has an end that is still to come\n"


def test_a_bad_file_beside_the_list_leaves_the_old_policy(exeat, beside):
    beside.mkdir()
    failed = lambda: exeat.metric("policy_reloads_total", result="error")
    for text, place, says in (("hosts = 1", "bad.toml:1:1: error", "unknown key"), ("", "bad.toml:1:1: error", "no entry"),
                              ('[[allow]]\nname = "base"\nhosts = ["x.test"]\n', "bad.toml:1:1: error", "is an entry of"),
                              ('[groups.all]\nsources = ["0.0.0.0/0"]\n[[allow]]\nname = "b"\nhosts = ["x.test"]\n', "bad.toml:1:1: error", "belongs in the allowlist itself"),
                              ('mode = "report"\n[[allow]]\nname = "b"\nhosts = ["x.test"]\n', "bad.toml:1:8: error", "belongs in the allowlist itself"),
                              ('[[allow]]\nname = "b"\nhosts = ["x.test"]\ngroups = ["nobody"]\n', "bad.toml:4:11: error", "nobody")):
        before = failed()
        (beside / "bad.toml").write_text(text)
        wait_until(lambda: failed() > before)
        done = run("check", exeat.allowlist_path)
        assert done.returncode == 1 and place in done.stderr + done.stdout and says in done.stderr + done.stdout, done.stderr + done.stdout
        assert reason(exeat, "base.grants.test") is None


def test_what_is_not_named_toml_is_not_read(exeat, beside):
    beside.mkdir()
    for name in ("README", "figures.toml.sig", ".hidden.toml", "figures.toml~"):
        (beside / name).write_text("no TOML")
    exeat.reload(ALLOWLIST + "# once more\n")
    assert run("check", exeat.allowlist_path).returncode == 0


def test_grant_writes_nothing_that_would_not_load(tmp_path):
    listed = tmp_path / "allowlist.toml"
    listed.write_text(ALLOWLIST)
    for more, says in (({"host": "a_b"}, "host"), ({"entry": "../evil"}, "name"), ({"entry": "base"}, "is an entry of"), ({"lasts": "32d"}, "from 1m to 31d"),
                       ({"lasts": "59s"}, "from 1m to 31d"), ({"lasts": "soon"}, "from 1m to 31d"), ({"host": "*.com"}, "is no host")):
        done = grant(listed, **more)
        assert done.returncode != 0 and says in done.stderr, (more, done.stderr)
        assert sorted(p.name for p in tmp_path.rglob("*")) == ["allowlist.toml"], more
    done = grant(listed, "--group", "nobody")
    assert done.returncode != 0 and "nobody" in done.stderr
    assert grant(listed, lasts="31d").returncode == 0 and grant(listed, entry="minute", lasts="1m", host="more.grants.test").returncode == 0
    done = grant(listed)
    assert done.returncode != 0 and "is there already" in done.stderr
    assert run("grant", "--entry", "x", "--for", "1h", "--host", "x.test", "--reason", "r").returncode == 2


def test_where_approvals_are_needed_a_grant_must_have_them(lab, tmp_path):
    for name in ("alice", "bob"):
        assert run("keygen", tmp_path / name).returncode == 0
    (tmp_path / "state").mkdir()
    running = lab.exeat(ALLOWLIST, policy={"state": str(tmp_path / "state"), "trusted_keys": [str(tmp_path / "alice.pub")], "approvals": 1})
    at, config = running.allowlist_path, running.config_path
    assert run("sign", "--key", tmp_path / "alice.key", at).returncode == 0
    with running as exeat:
        refused = lambda: exeat.metric("policy_reloads_total", result="unapproved")
        assert grant(at).returncode == 0  # nobody told it of the configuration
        wait_until(lambda: refused() > 0)
        assert reason(exeat) == "not_allowed"
        done = grant(at, "--config", config, entry="second", host="more.grants.test")
        assert done.returncode != 0 and "must be approved; give --key" in done.stderr
        assert run("sign", "--key", tmp_path / "alice.key", at.with_suffix(".d") / "figures.toml").returncode == 0
        wait_until(lambda: reason(exeat) is None)
        assert grant(at, "--config", config, "--key", tmp_path / "alice.key", entry="second", host="more.grants.test").returncode == 0
        wait_until(lambda: reason(exeat, "more.grants.test") is None)
        listed = run("grants", "--config", config)
        assert listed.stdout.count("approved by") == 2 and listed.stdout.count("alice.pub") == 2, listed.stderr
        before = refused()
        (at.with_suffix(".d") / "figures.toml").write_text((at.with_suffix(".d") / "figures.toml").read_text().replace("new.", "*."))
        wait_until(lambda: refused() > before)
        shutil.copy(f"{at}.sig", at.with_suffix(".d") / "list.toml.sig")
        shutil.copy(at, at.with_suffix(".d") / "list.toml")
        done = run("verify", "--config", config)
        assert done.returncode == 1 and "approves another kind of file" in done.stderr


def test_the_only_group_of_a_list_is_named_and_every_group_is_every_one(tmp_path):
    entry = lambda name, more: f'[[allow]]\nname = "{name}"\nhosts = ["{name}.test"]\nexpires = 2099-01-01T00:00:00Z\n{more}'
    (tmp_path / "list.toml").write_text('serial = 1\n[groups.lab]\nsources = ["127.0.0.0/8"]\n' + entry("one", 'groups = ["lab"]\n') + entry("all", ""))
    shown = run("grants", "--allowlist", tmp_path / "list.toml").stdout
    assert "one  one.test  for lab\n" in shown and "all  all.test  for every group\n" in shown, shown
