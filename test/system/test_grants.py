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
        assert run("grants", "--allowlist", exeat.allowlist_path).stdout == "no entry expires in the future\n"


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
                       ({"lasts": "59s"}, "from 1m to 31d"), ({"lasts": "soon"}, "from 1m to 31d"), ({"host": "*.com"}, "is not a host")):
        done = grant(listed, **more)
        assert done.returncode != 0 and says in done.stderr, (more, done.stderr)
        assert sorted(p.name for p in tmp_path.rglob("*")) == ["allowlist.toml"], more
    done = grant(listed, "--group", "nobody")
    assert done.returncode != 0 and "nobody" in done.stderr
    assert grant(listed, lasts="31d").returncode == 0 and grant(listed, entry="minute", lasts="1m", host="more.grants.test").returncode == 0
    done = grant(listed)
    assert done.returncode != 0 and "is there already" in done.stderr
    assert run("grant", "--entry", "x", "--for", "1h", "--host", "x.test", "--reason", "r").returncode == 2


@pytest.fixture
def approved(lab, tmp_path):
    """An exeat whose list two people must approve, and has; not started."""
    for name in ("alice", "bob"):
        assert run("keygen", tmp_path / name).returncode == 0
    (tmp_path / "state").mkdir()
    running = lab.exeat(ALLOWLIST, policy={"state": str(tmp_path / "state"), "trusted_keys": [str(tmp_path / f"{n}.pub") for n in ("alice", "bob")], "approvals": 2,
                                           "audience": "production"})
    for name in ("alice", "bob"):
        assert run("sign", "--key", tmp_path / f"{name}.key", "--config", running.config_path, running.allowlist_path).returncode == 0
    running.keys = tmp_path
    return running


def granted(running, entry="figures", host="new.grants.test", lasts="1h"):
    """By both: the file's path."""
    at, keys = running.allowlist_path, running.keys
    done = grant(at, "--config", running.config_path, "--key", keys / "alice.key", entry=entry, host=host, lasts=lasts)
    assert done.returncode == 0, done.stderr
    path = at.with_suffix(".d") / f"{entry}.toml"
    done = run("sign", "--key", keys / "bob.key", path)
    assert done.returncode == 0, done.stderr
    return path


def revoke(running, path, *more, who="bob"):
    return run("revoke", "--config", running.config_path, "--key", running.keys / f"{who}.key", "--reason", "wrong host", *more, path)


def ignored(exeat, why):
    return exeat.metric("policy_ignored_files", why=why)


def test_where_approvals_are_needed_a_grant_must_have_them(approved):
    at, config, keys = approved.allowlist_path, approved.config_path, approved.keys
    with approved as exeat:
        assert grant(at, entry="bare").returncode == 0  # nobody told it of the configuration
        wait_until(lambda: ignored(exeat, "unnamed") == 1)
        done = grant(at, "--config", config, entry="second")
        assert done.returncode != 0 and "must be approved; give --key" in done.stderr
        (at.with_suffix(".d") / "bare.toml").unlink()
        done = grant(at, "--config", config, "--key", keys / "alice.key")
        assert done.returncode == 0 and "has 1 of 2 approvals and opens nothing yet; the next is 'exeat sign --key KEY" in done.stdout, done.stderr
        wait_until(lambda: ignored(exeat, "waiting") == 1)
        assert reason(exeat) == "not_allowed" and exeat.metric("policy_last_reload_success") == 1
        path = at.with_suffix(".d") / "figures.toml"
        done = run("sign", "--key", keys / "alice.key", path)
        assert done.returncode == 1 and "has signed this already" in done.stderr
        assert run("sign", "--key", keys / "bob.key", path).returncode == 0
        wait_until(lambda: reason(exeat) is None)
        listed = run("grants", "--config", config)
        assert listed.stdout.count("alice.pub") == 1 and listed.stdout.count("bob.pub") == 1, listed.stderr
        path.write_text(path.read_text().replace("new.", "*."))
        wait_until(lambda: reason(exeat) == "not_allowed")
        wait_until(lambda: ignored(exeat, "grant") == 1)
        assert exeat.metric("policy_reloads_total", result="unapproved") == 0, "the list is what it was"
        assert "a grant until" not in run("verify", "--config", config).stdout


def test_a_grant_lasts_a_day_unless_policy_says_more(approved):
    at, config, key = approved.allowlist_path, approved.config_path, approved.keys / "alice.key"
    done = grant(at, "--config", config, "--key", key, lasts="25h")
    assert done.returncode == 1 and "from 1m to 1440 minutes, as [policy] grant_for says" in done.stderr, done.stderr
    assert grant(at, "--config", config, "--key", key, lasts="24h").returncode == 0
    assert grant(at, "--key", key, entry="long", lasts="25h", host="more.grants.test").returncode == 0  # nobody told it of the configuration
    assert run("sign", "--key", approved.keys / "bob.key", at.with_suffix(".d") / "long.toml").returncode == 0
    done = run("check", "--config", config)
    assert done.returncode == 0 and "long.toml: warning: is ignored: it holds longer than 24 hours" in done.stdout, done.stdout
    config.write_text(config.read_text().replace("[policy]", '[policy]\ngrant_for = "25h"'))
    assert "long.toml" not in run("check", "--config", config).stdout


def test_one_key_revokes_a_grant_and_whoever_puts_it_back_opens_nothing(approved):
    """Row 7."""
    with approved as exeat:
        path = granted(approved)
        wait_until(lambda: reason(exeat) is None)
        statement = path.with_name("figures.toml.grant")
        kept = path.read_text(), statement.read_text()
        exeat.caught_up()
        with open_tunnel(exeat, "new.grants.test:7") as s:
            done = revoke(approved, path)
            assert done.returncode == 0 and "is closed until" in done.stdout, done.stderr
            assert gone(s)
        wait_until(lambda: reason(exeat) == "not_allowed")
        for each in path.parent.iterdir():
            each.unlink()
        path.write_text(kept[0])
        statement.write_text(kept[1])
        wait_until(lambda: ignored(exeat, "revoked") == 1)
        assert reason(exeat) == "not_allowed" and exeat.metric("policy_revoked_digests") == 1 and "was revoked" in exeat.log()
    with exeat:
        assert reason(exeat) == "not_allowed" and ignored(exeat, "revoked") == 1


def test_a_revocation_waits_for_nobodys_bad_file(approved):
    """Row 8: the list on the disk is broken, junk lies beside it, and somebody is still writing."""
    with approved as exeat:
        path = granted(approved)
        wait_until(lambda: reason(exeat) is None)
        (path.parent / "junk.toml").write_text("junk")
        with approved.allowlist_path.open("a", encoding="utf-8") as writer:
            writer.write("half a li")
            writer.flush()
            assert revoke(approved, path, "--audience", "production").returncode == 0
            wait_until(lambda: reason(exeat) == "not_allowed")
            assert reason(exeat, "base.grants.test") is None
        assert exeat.metric("policy_from_copy") == 1


def test_a_revoked_part_opens_nothing_and_denies_what_it_denied(approved):
    at, keys = approved.allowlist_path, approved.keys
    parts = at.with_suffix(".d")
    parts.mkdir()
    part = parts / "part.toml"
    part.write_text('[[allow]]\nname = "p"\nhosts = ["new.grants.test"]\nports = [7]\nprotocol = "tcp"\n[[deny]]\nname = "d"\nhosts = ["base.grants.test"]\n')
    for name in ("alice", "bob"):
        assert run("sign", "--key", keys / f"{name}.key", at).returncode == 0
    with approved as exeat:
        assert reason(exeat) is None and reason(exeat, "base.grants.test") == "denied_by_rule"
        assert revoke(approved, part).returncode == 0
        wait_until(lambda: reason(exeat) == "expired")
        assert reason(exeat, "base.grants.test") == "denied_by_rule"
        text = at.read_text().replace("serial = 1", "serial = 2")
        exeat.write_allowlist(text)
        for name in ("alice", "bob"):
            done = run("sign", "--key", keys / f"{name}.key", at)
            assert done.returncode == 0 and "\nrevoked " in done.stdout, done.stderr
        wait_until(lambda: 'serial="2"' in exeat.fetch("/metrics")[1])
        assert reason(exeat) == "expired", "what is signed carries it on"


def test_a_revocation_needs_a_key_that_is_trusted_here(approved):
    assert run("keygen", approved.keys / "eve").returncode == 0
    with approved as exeat:
        path = granted(approved)
        wait_until(lambda: reason(exeat) is None)
        done = revoke(approved, path, who="eve")
        assert done.returncode == 1 and "not among the trusted_keys" in done.stderr and ignored(exeat, "revocation") == 0
        done = revoke(approved, path, "--audience", "staging")
        assert done.returncode == 1 and "takes only what is for" in done.stderr
        done = revoke(approved, approved.allowlist_path)
        assert done.returncode == 1 and "is the list itself" in done.stderr
        done = grant(approved.allowlist_path, "--config", approved.config_path, "--key", approved.keys / "eve.key", entry="eves")
        assert done.returncode == 1 and "not among the trusted_keys" in done.stderr and not path.with_name("eves.toml").exists()
        done = run("revoke", "--allowlist", approved.allowlist_path, "--key", approved.keys / "eve.key", "--reason", "wrong host", path)  # nobody told it whom exeat trusts
        assert done.returncode == 0, done.stderr
        wait_until(lambda: ignored(exeat, "revocation") == 1)
        assert reason(exeat) is None
        done = run("revoke", "--key", approved.keys / "bob.key", "--reason", "x", "f" * 64)
        assert done.returncode == 1 and "beside which list" in done.stderr
        done = revoke(approved, path.with_name("none.toml"))
        assert done.returncode == 1 and "No such file" in done.stderr
        done = revoke(approved, path, "--until", "2020-01-01T00:00:00Z")
        assert done.returncode == 1 and "a time to come" in done.stderr


def test_the_only_group_of_a_list_is_named_and_every_group_is_every_one(tmp_path):
    entry = lambda name, more: f'[[allow]]\nname = "{name}"\nhosts = ["{name}.test"]\nexpires = 2099-01-01T00:00:00Z\n{more}'
    (tmp_path / "list.toml").write_text('serial = 1\n[groups.lab]\nsources = ["127.0.0.0/8"]\n' + entry("one", 'groups = ["lab"]\n') + entry("all", ""))
    shown = run("grants", "--allowlist", tmp_path / "list.toml").stdout
    assert "one  one.test  for lab\n" in shown and "all  all.test  for every group\n" in shown, shown
