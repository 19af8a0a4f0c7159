"""A running exeat that takes no list without its approvals."""
import datetime
import json
import os
import re
import shutil
import signal

import pytest
from harness.approvals import allowlist, make_keys, manifest, ok, sign
from harness.client import connect_reply
from harness.exeat import run
from harness.preload import Preload
from harness.wait import wait_until

@pytest.fixture(scope="module", autouse=True)
def origin(lab):
    host, _ = lab.place("a.approved.test", "b.approved.test", v6=False)
    return lab.origin(host, 7)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return make_keys(tmp_path_factory.mktemp("keys"), "alice", "bob", "eve")


class Approved:
    """An exeat that needs two approvals, and the lists that it is given."""

    def __init__(self, lab, keys, tmp_path, needed=2):
        self.lab, self.keys, self.at = lab, keys, tmp_path
        self.state = tmp_path / "state"
        self.state.mkdir(exist_ok=True)
        self.policy = {"state": str(self.state), "trusted_keys": [str(keys / "alice.pub"), str(keys / "bob.pub")], "approvals": needed,
                       "audience": "production"}

    def stage(self, text, *who, parts=None):
        """A list, its parts (in place of those before) and its manifest, not in force yet."""
        path = self.at / "allowlist.toml"
        path.write_text(text)
        manifest(path).unlink(missing_ok=True)
        if parts is not None:
            shutil.rmtree(path.with_suffix(".d"), ignore_errors=True)
            path.with_suffix(".d").mkdir()
            for name, part in parts.items():
                (path.with_suffix(".d") / name).write_text(part)
        sign(path, self.keys, *who)
        return path

    def exeat(self, text, *who, parts=None, **options):
        running = self.lab.exeat(None, policy=self.policy, **options)
        staged = self.stage(text, *who, parts=parts)
        shutil.copy(staged, running.allowlist_path)
        if parts is not None:
            shutil.copytree(staged.with_suffix(".d"), running.allowlist_path.with_suffix(".d"))
        if who:
            shutil.copy(manifest(staged), manifest(running.allowlist_path))
        return running

    def put(self, running, text, *who):
        """The list first, then the manifest, whose rename makes it the one."""
        staged = self.stage(text, *who)
        running.write_allowlist(text)
        there = manifest(running.allowlist_path)
        if who:
            shutil.copy(manifest(staged), f"{there}.new")
            os.replace(f"{there}.new", there)
        else:
            there.unlink(missing_ok=True)


@pytest.fixture
def approved(lab, keys, tmp_path):
    return Approved(lab, keys, tmp_path)


def allowed(exeat, letter):
    return connect_reply(exeat, f"{letter}.approved.test:7").status == 200


def serial(exeat):
    return int(re.search(r'exeat_policy_info\{.*?serial="(\d+)"', exeat.fetch("/metrics")[1])[1])


def taken(exeat, number):
    """Waits until the list of that serial is in force at every worker."""
    wait_until(lambda: serial(exeat) == number)
    exeat.caught_up()


def refused_reloads(exeat, result):
    return exeat.metric("policy_reloads_total", result=result)


def test_a_start_needs_the_approvals(approved):
    for who, says in (((), "must be approved: 'exeat sign' writes this file"), (("alice",), "signed by 1 of the 2 trusted keys"), (("alice", "eve"), "signed by 1 of the 2 trusted keys")):
        running = approved.exeat(allowlist(1, "a"), *who)
        done = run("serve", "--config", running.config_path)
        assert done.returncode == 1 and says in done.stderr, done.stderr
        assert "allowlist.toml.manifest: error:" in done.stderr
    with approved.exeat(allowlist(1, "a"), "bob", "alice") as exeat:
        assert allowed(exeat, "a")
        assert len(json.loads(exeat.fetch("/api/status")[1])["policy"]["approved_by"]) == 2


def test_a_reload_needs_them_and_without_them_the_old_list_stays(approved):
    with approved.exeat(allowlist(1, "a"), "alice", "bob") as exeat:
        for result in ("unapproved", "rollback", "error"):
            assert refused_reloads(exeat, result) == 0, "the series is there from the start"
        approved.put(exeat, allowlist(2, "b"))
        wait_until(lambda: refused_reloads(exeat, "unapproved") > 0, 60)
        assert allowed(exeat, "a") and not allowed(exeat, "b") and serial(exeat) == 1
        assert exeat.metric("policy_last_reload_success") == 0
        approved.put(exeat, allowlist(2, "b"), "alice", "bob")
        taken(exeat, 2)
        assert allowed(exeat, "b") and not allowed(exeat, "a")
        wait_until(lambda: exeat.metric("policy_last_reload_success") == 1)


def test_files_and_manifest_come_in_any_order_and_nothing_is_counted_or_told(approved):
    """Row 9: files first and the manifest last, and the other way round; the old policy stays in force meanwhile."""
    with approved.exeat(allowlist(1, "a"), "alice", "bob") as exeat:
        for number, first in ((2, "list"), (3, "manifest"), (4, "list")):
            staged = approved.stage(allowlist(number, "a" if number % 2 else "b"), "alice", "bob")
            steps = [(staged, exeat.allowlist_path), (manifest(staged), manifest(exeat.allowlist_path))]
            for source, target in steps if first == "list" else reversed(steps):
                shutil.copy(source, f"{target}.new")
                os.replace(f"{target}.new", target)
                if (source == staged) == (first == "list"):
                    wait_until(lambda: "a changed list is not in force yet" in exeat.fetch("/readyz")[1])
                    assert serial(exeat) == number - 1
            taken(exeat, number)
        assert refused_reloads(exeat, "unapproved") == 0 and refused_reloads(exeat, "error") == 0
        assert "reload failed" not in exeat.log()


def test_who_asks_for_a_reload_is_answered_at_once(approved):
    with approved.exeat(allowlist(1, "a"), "alice", "bob") as exeat:
        approved.put(exeat, allowlist(2, "b"), "alice")
        exeat.signal(signal.SIGHUP)
        wait_until(lambda: refused_reloads(exeat, "unapproved") > 0)
        staged = approved.stage(allowlist(2, "b"), "alice", "bob")
        shutil.copy(manifest(staged), manifest(exeat.allowlist_path))
        taken(exeat, 2)


def test_a_tampered_byte_after_approval_is_refused_and_a_restart_serves_the_stored_copy(approved):
    with approved.exeat(allowlist(1, "a"), "alice", "bob") as exeat:
        assert exeat.metric("policy_copy_stored") == 1
        exeat.write_allowlist(allowlist(1, "b"))
        wait_until(lambda: refused_reloads(exeat, "unapproved") > 0, 60)
        assert allowed(exeat, "a") and not allowed(exeat, "b")
        assert exeat.metric("policy_from_copy") == 1
    with exeat:
        assert allowed(exeat, "a") and not allowed(exeat, "b")
        assert exeat.metric("policy_from_copy") == 1 and "has other bytes than the manifest says" in exeat.log()
        wait_until(lambda: refused_reloads(exeat, "unapproved") > 0, 60)
        exeat.write_allowlist(allowlist(1, "a"))
        wait_until(lambda: exeat.metric("policy_from_copy") == 0)


DENY = '[[deny]]\nname = "never"\nhosts = ["b.approved.test"]\n'


def test_what_was_signed_denies_whether_its_file_is_there_or_not(approved):
    """Row 6: a twice-signed part with a [[deny]], moved out of allowlist.d."""
    with approved.exeat(allowlist(1, "a", "b"), "alice", "bob", parts={"deny.toml": DENY}) as exeat:
        part = exeat.allowlist_path.with_suffix(".d") / "deny.toml"
        assert connect_reply(exeat, "b.approved.test:7").reason == "denied_by_rule"
        part.rename(approved.at / "deny.toml")
        wait_until(lambda: refused_reloads(exeat, "unapproved") > 0, 60)
        assert connect_reply(exeat, "b.approved.test:7").reason == "denied_by_rule" and allowed(exeat, "a")
        assert run("check", "--config", exeat.config_path).returncode == 1
    with exeat:
        assert connect_reply(exeat, "b.approved.test:7").reason == "denied_by_rule"
        (approved.at / "deny.toml").rename(part)
        wait_until(lambda: exeat.metric("policy_from_copy") == 0)


def test_junk_is_ignored_and_told_and_holds_up_no_revocation_and_no_restart(approved):
    """Row 8."""
    with approved.exeat(allowlist(1, "a", "b"), "alice", "bob") as exeat:
        parts = exeat.allowlist_path.with_suffix(".d")
        parts.mkdir()
        (parts / "junk.toml").write_text("junk")
        wait_until(lambda: exeat.metric("policy_ignored_files", why="unnamed") == 1)
        assert "junk.toml is ignored" in exeat.fetch("/readyz")[1]
        assert serial(exeat) == 1 and refused_reloads(exeat, "error") == 0
        approved.put(exeat, allowlist(2, "a"), "alice", "bob")
        taken(exeat, 2)
        assert allowed(exeat, "a") and not allowed(exeat, "b")
    with exeat:
        assert allowed(exeat, "a") and exeat.metric("policy_ignored_files", why="unnamed") == 1


def test_an_old_approved_list_comes_back_neither_by_reload_nor_by_restart(approved):
    with approved.exeat(allowlist(5, "a"), "alice", "bob") as exeat:
        approved.put(exeat, allowlist(6, "b"), "alice", "bob")
        taken(exeat, 6)
        approved.put(exeat, allowlist(5, "a"), "alice", "bob")
        wait_until(lambda: refused_reloads(exeat, "rollback") > 0)
        assert serial(exeat) == 6 and not allowed(exeat, "a")
        assert "serial 6 was accepted already, and this is 5: an older list" in exeat.log()
    with exeat:  # from its copy
        assert serial(exeat) == 6 and allowed(exeat, "b") and not allowed(exeat, "a")
        wait_until(lambda: refused_reloads(exeat, "rollback") > 0)
    shutil.rmtree(approved.state / "approved")
    done = run("serve", "--config", exeat.config_path)
    assert done.returncode == 1 and "serial 6 was accepted already, and this is 5" in done.stderr
    approved.put(exeat, allowlist(6, "b"), "alice", "bob")
    with exeat:
        assert allowed(exeat, "b")


def test_a_process_that_was_stopped_meanwhile_cannot_bring_an_older_list_back(approved):
    """Row 10."""
    with approved.exeat(allowlist(8, "a"), "alice", "bob") as old:
        old.signal(signal.SIGSTOP)
        new = approved.lab.exeat(None, policy=approved.policy, allowlist_path=old.allowlist_path)
        with new:
            approved.put(old, allowlist(9, "b"), "alice", "bob")
            taken(new, 9)
            approved.put(old, allowlist(8, "a"), "alice", "bob")
            wait_until(lambda: refused_reloads(new, "rollback") > 0)
            old.signal(signal.SIGCONT)
            wait_until(lambda: refused_reloads(old, "rollback") > 0)
            assert json.loads((approved.state / "policy.json").read_text())["serial"] == 9
        approved.put(old, allowlist(9, "b"), "alice", "bob")
        taken(old, 9)


def test_a_list_of_another_environment_is_refused(approved):
    running = approved.exeat(allowlist(1, "a"), "alice", "bob")
    manifest(running.allowlist_path).unlink()
    sign(running.allowlist_path, approved.keys, "alice", "bob", audience="staging")
    for verb in ("serve", "check"):
        done = run(verb, "--config", running.config_path)
        assert done.returncode == 1 and 'is signed for the audience "staging"' in done.stdout + done.stderr, done.stderr


def test_check_says_what_serve_would(approved):
    """Row 11: what `systemctl reload` runs first."""
    running = approved.exeat(allowlist(5, "a"), "alice")
    done = run("check", "--config", running.config_path)
    assert done.returncode == 1 and "signed by 1 of the 2 trusted keys" in done.stdout, done.stdout
    assert list(approved.state.iterdir()) == [], "it writes nothing"
    sign(running.allowlist_path, approved.keys, "bob")
    assert "approved by" in ok("check", "--config", running.config_path)
    with running as exeat:
        assert serial(exeat) == 5
        approved.put(exeat, allowlist(4, "a"), "alice", "bob")
        done = run("check", "--config", exeat.config_path)
        assert done.returncode == 1 and "serial 5 was accepted already" in done.stdout
        assert run("check", exeat.allowlist_path).returncode == 0, "a draft needs no approval"


def test_signatures_of_the_former_scheme_say_what_takes_their_place(approved):
    running = approved.exeat(allowlist(1, "a"))
    running.allowlist_path.with_suffix(".toml.sig").write_text("exeat allowlist approval v1\n")
    done = run("serve", "--config", running.config_path)
    assert done.returncode == 1 and "no longer count: 'exeat sign --audience NAME --key KEY allowlist.toml'" in done.stderr, done.stderr


def test_a_hosts_file_that_was_swapped_after_approval_is_refused(approved, tmp_path):
    text = allowlist(1, "a", more='hosts_file = "names.txt"\n')
    (tmp_path / "names.txt").write_text("b.approved.test\n")
    running = approved.exeat(text, "alice", "bob")
    names = running.allowlist_path.parent / "names.txt"
    names.write_text("b.approved.test\n")
    with running as exeat:
        assert allowed(exeat, "b")
        names.write_text("not even a name")
        exeat.signal(signal.SIGHUP)
        wait_until(lambda: refused_reloads(exeat, "unapproved") > 0)
        assert allowed(exeat, "b") and "names.txt:1" not in exeat.log(), "it is not parsed"
    with exeat:
        assert allowed(exeat, "b")


def test_an_approved_list_that_ends_denies_everything(approved, tmp_path):
    clock, end = Preload(tmp_path / "clock", allocations=False), datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    with approved.exeat(allowlist(1, "a", expires=f"{end:%Y-%m-%dT%H:%M:%SZ}"), "alice", "bob", before=clock.before) as exeat:
        assert allowed(exeat, "a")
        clock.tell(wall_offset=2 * 3600)
        wait_until(lambda: connect_reply(exeat, "a.approved.test:7").reason == "policy_expired")


def test_without_state_or_with_too_few_keys_nothing_starts(approved):
    for policy, says in (({"trusted_keys": approved.policy["trusted_keys"], "audience": "production"}, "approved lists need 'state'"), ({k: v for k, v in approved.policy.items() if k != "audience"}, "approved lists need 'audience'"),
                         ({**approved.policy, "approvals": 3}, "no list could have 3 approvals"),
                         ({**approved.policy, "trusted_keys": [str(approved.keys / "none.pub")] * 2}, "No such file"),
                         ({**approved.policy, "trusted_keys": [approved.policy["trusted_keys"][0]] * 2}, "are one key; trust each once")):
        running = approved.lab.exeat(allowlist(1, "a"), policy=policy)
        done = run("serve", "--config", running.config_path)
        assert done.returncode == 1 and says in done.stderr, done.stderr
