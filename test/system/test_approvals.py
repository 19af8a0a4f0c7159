"""Lists that need approvals: keygen, sign and verify as people use them, and a running exeat that takes none without them."""
import datetime
import json
import re
import shutil
import stat

import pytest
from harness.client import connect_reply
from harness.exeat import run
from harness.preload import Preload
from harness.wait import wait_until

LAB = """
[groups.lab]
sources = ["127.0.0.1"]
"""


def allowlist(serial, *letters, expires="2099-01-01T00:00:00Z", more=""):
    entries = "".join(f'[[allow]]\nname = "{c}"\nhosts = ["{c}.approved.test"]\nports = [7]\nprotocol = "tcp"\n{more}' for c in letters)
    return f"serial = {serial}\n" + (f"expires = {expires}\n" if expires else "") + LAB + entries


@pytest.fixture(scope="module", autouse=True)
def origin(lab):
    host, _ = lab.place("a.approved.test", "b.approved.test", v6=False)
    return lab.origin(host, 7)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    at = tmp_path_factory.mktemp("keys")
    for name in ("alice", "bob", "eve"):
        made = run("keygen", at / name)
        assert made.returncode == 0, made.stderr
    return at


def ok(*argv, **options):
    done = run(*argv, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sign(path, keys, *who):
    for name in who:
        ok("sign", "--key", keys / f"{name}.key", path)


class Approved:
    """An exeat that needs two approvals, and the lists that it is given."""

    def __init__(self, lab, keys, tmp_path, needed=2):
        self.lab, self.keys, self.at = lab, keys, tmp_path
        self.state = tmp_path / "state"
        self.state.mkdir(exist_ok=True)
        self.policy = {"state": str(self.state), "trusted_keys": [str(keys / "alice.pub"), str(keys / "bob.pub")], "approvals": needed}

    def stage(self, text, *who):
        """A list and its signatures, not in force yet."""
        path = self.at / "allowlist.toml"
        path.write_text(text)
        path.with_suffix(".toml.sig").unlink(missing_ok=True)
        sign(path, self.keys, *who)
        return path

    def exeat(self, text, *who, **options):
        running = self.lab.exeat(None, policy=self.policy, **options)
        staged = self.stage(text, *who)
        shutil.copy(staged, running.allowlist_path)
        if who:
            shutil.copy(f"{staged}.sig", f"{running.allowlist_path}.sig")
        return running

    def put(self, running, text, *who):
        """Both files in place; the signatures first, as the list that they are of comes after them."""
        staged = self.stage(text, *who)
        there = running.allowlist_path.with_suffix(".toml.sig")
        if who:
            shutil.copy(f"{staged}.sig", there)
        else:
            there.unlink(missing_ok=True)
        running.write_allowlist(text)


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


# ---- the verbs ----


def test_a_key_pair_is_made_once_and_its_private_half_is_for_its_owner_alone(tmp_path):
    said = ok("keygen", tmp_path / "carol")
    assert re.search(r"its id is [0-9a-f]{16}$", said)
    assert stat.S_IMODE((tmp_path / "carol.key").stat().st_mode) == 0o600
    before = (tmp_path / "carol.key").read_bytes()
    again = run("keygen", tmp_path / "carol")
    assert again.returncode != 0 and "File exists" in again.stderr
    assert (tmp_path / "carol.key").read_bytes() == before


def test_an_encrypted_key_signs_with_its_passphrase_only(tmp_path):
    (tmp_path / "phrase").write_text("correct horse\n")
    (tmp_path / "wrong").write_text("battery staple\n")
    (tmp_path / "empty").write_text("\n")
    ok("keygen", "--passphrase-file", tmp_path / "phrase", tmp_path / "carol")
    assert "ENCRYPTED" in (tmp_path / "carol.key").read_text()
    listed = tmp_path / "allowlist.toml"
    listed.write_text(allowlist(1, "a"))
    for more, says in (((), "--passphrase-file"), (("--passphrase-file", tmp_path / "wrong"), "--passphrase-file"),
                       (("--passphrase-file", tmp_path / "empty"), "first line is empty"), (("--passphrase-file", tmp_path / "none"), "No such file")):
        done = run("sign", "--key", tmp_path / "carol.key", *more, listed)
        assert done.returncode != 0 and says in done.stderr
    ok("sign", "--key", tmp_path / "carol.key", "--passphrase-file", tmp_path / "phrase", listed)
    assert "1 of 1" in ok("verify", "--trusted-key", tmp_path / "carol.pub", listed)


def test_signatures_add_up_and_a_changed_list_begins_anew(keys, tmp_path):
    listed = tmp_path / "allowlist.toml"
    listed.write_text(allowlist(1, "a"))
    sign(listed, keys, "alice")
    trust = ("--trusted-key", keys / "alice.pub", "--trusted-key", keys / "bob.pub", "--approvals", 2, listed)
    done = run("verify", *trust)
    assert done.returncode == 1 and "1 of 2 approvals by trusted keys; 'exeat sign' adds one" in done.stderr
    done = run("sign", "--key", keys / "alice.key", listed)
    assert done.returncode != 0 and "has signed this already; another key must" in done.stderr
    sign(listed, keys, "bob")
    said = ok("verify", *trust)
    assert "serial 1, 2 of 2 approvals" in said and "alice.pub" in said and "bob.pub" in said
    listed.write_text(allowlist(2, "a", "b"))
    done = run("verify", *trust)
    assert done.returncode == 1 and "approves another content than the file has" in done.stderr
    assert "of another content and go" in ok("sign", "--key", keys / "bob.key", listed)
    assert run("verify", *trust).returncode == 1


def test_a_list_with_an_error_or_without_an_end_is_not_signed(keys, tmp_path):
    listed = tmp_path / "allowlist.toml"
    for text, says in ((allowlist(1, "a") + "hots = 1\n", "allowlist.toml:11:1: error:"), (allowlist(1, "a", expires=None), "add expires = 2027-01-01T00:00:00Z")):
        listed.write_text(text)
        done = run("sign", "--key", keys / "alice.key", listed)
        assert done.returncode != 0 and says in done.stderr, done.stderr
        assert not listed.with_suffix(".toml.sig").exists()


def test_what_is_no_key_is_told(keys, tmp_path):
    listed = tmp_path / "allowlist.toml"
    listed.write_text(allowlist(1, "a"))
    for key, says in ((keys / "alice.pub", "is no private key in PEM"), (tmp_path / "none", "No such file"), ("pkcs11:object=nobody", "PKCS#11 provider")):
        done = run("sign", "--key", key, listed)
        assert done.returncode != 0 and says in done.stderr, done.stderr
    sign(listed, keys, "alice")
    done = run("verify", "--trusted-key", keys / "alice.key", listed)
    assert done.returncode != 0 and "is no Ed25519 public key in PEM" in done.stderr
    done = run("verify", listed)
    assert done.returncode == 2 and "whom to trust" in done.stderr


# ---- a running exeat ----


def test_a_start_needs_the_approvals(approved):
    for who, says in (((), "must be approved: 'exeat sign' writes this file"), (("alice",), "1 of 2 approvals"), (("alice", "eve"), "1 of 2 approvals")):
        running = approved.exeat(allowlist(1, "a"), *who)
        done = run("serve", "--config", running.config_path)
        assert done.returncode == 1 and says in done.stderr, done.stderr
        assert "allowlist.toml.sig: error:" in done.stderr
    with approved.exeat(allowlist(1, "a"), "bob", "alice") as exeat:
        assert allowed(exeat, "a")
        assert len(json.loads(exeat.fetch("/api/status")[1])["policy"]["approved_by"]) == 2


def test_a_reload_needs_them_and_without_them_the_old_list_stays(approved):
    with approved.exeat(allowlist(1, "a"), "alice", "bob") as exeat:
        for result in ("unapproved", "rollback", "error"):
            assert refused_reloads(exeat, result) == 0, "the series is there from the start"
        approved.put(exeat, allowlist(2, "b"))
        wait_until(lambda: refused_reloads(exeat, "unapproved") > 0)
        assert allowed(exeat, "a") and not allowed(exeat, "b") and serial(exeat) == 1
        assert exeat.metric("policy_last_reload_success") == 0
        approved.put(exeat, allowlist(2, "b"), "alice", "bob")
        taken(exeat, 2)
        assert allowed(exeat, "b") and not allowed(exeat, "a")
        wait_until(lambda: exeat.metric("policy_last_reload_success") == 1)


def test_a_signature_that_comes_after_its_list_is_seen(approved):
    with approved.exeat(allowlist(1, "a"), "alice", "bob") as exeat:
        approved.put(exeat, allowlist(2, "b"), "alice")
        wait_until(lambda: refused_reloads(exeat, "unapproved") > 0)
        staged = approved.stage(allowlist(2, "b"), "alice", "bob")
        shutil.copy(f"{staged}.sig", f"{exeat.allowlist_path}.sig")
        wait_until(lambda: serial(exeat) == 2)


def test_a_tampered_byte_after_approval_is_refused(approved):
    with approved.exeat(allowlist(1, "a"), "alice", "bob") as exeat:
        exeat.reload(allowlist(1, "a").replace('"a"', '"b"', 1), result="unapproved")
        exeat.write_allowlist(allowlist(1, "b"))
        wait_until(lambda: refused_reloads(exeat, "unapproved") > 1)
        assert allowed(exeat, "a") and not allowed(exeat, "b")


def test_an_old_approved_list_comes_back_neither_by_reload_nor_by_restart(approved):
    with approved.exeat(allowlist(5, "a"), "alice", "bob") as exeat:
        approved.put(exeat, allowlist(6, "b"), "alice", "bob")
        taken(exeat, 6)
        approved.put(exeat, allowlist(5, "a"), "alice", "bob")
        wait_until(lambda: refused_reloads(exeat, "rollback") > 0)
        assert serial(exeat) == 6 and not allowed(exeat, "a")
        assert "serial 6 was accepted already, and this is 5: an older list" in exeat.log()
    done = run("serve", "--config", exeat.config_path)
    assert done.returncode == 1 and "serial 6 was accepted already, and this is 5" in done.stderr
    approved.put(exeat, allowlist(6, "b"), "alice", "bob")
    with exeat:
        assert allowed(exeat, "b")


def test_a_hosts_file_that_was_swapped_after_approval_is_refused(approved, tmp_path):
    text = allowlist(1, "a", more='hosts_file = "names.txt"\n')
    (tmp_path / "names.txt").write_text("b.approved.test\n")
    running = approved.exeat(text, "alice", "bob")
    names = running.allowlist_path.parent / "names.txt"
    names.write_text("b.approved.test\n")
    with running as exeat:
        assert allowed(exeat, "b")
        names.write_text("c.approved.test\n")
        wait_until(lambda: refused_reloads(exeat, "unapproved") > 0)
        assert allowed(exeat, "b")


def test_an_approved_list_that_ends_denies_everything(approved, tmp_path):
    clock, end = Preload(tmp_path / "clock", allocations=False), datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    with approved.exeat(allowlist(1, "a", expires=f"{end:%Y-%m-%dT%H:%M:%SZ}"), "alice", "bob", before=clock.before) as exeat:
        assert allowed(exeat, "a")
        clock.tell(wall_offset=2 * 3600)
        wait_until(lambda: connect_reply(exeat, "a.approved.test:7").reason == "policy_expired")


def test_without_state_or_with_too_few_keys_nothing_starts(approved):
    for policy, says in (({"trusted_keys": approved.policy["trusted_keys"]}, "approved lists need 'state'"),
                         ({**approved.policy, "approvals": 3}, "no list could have 3 approvals"),
                         ({**approved.policy, "trusted_keys": [str(approved.keys / "none.pub")] * 2}, "No such file"),
                         ({**approved.policy, "trusted_keys": [approved.policy["trusted_keys"][0]] * 2}, "are one key; trust each once")):
        running = approved.lab.exeat(allowlist(1, "a"), policy=policy)
        done = run("serve", "--config", running.config_path)
        assert done.returncode == 1 and says in done.stderr, done.stderr
