"""keygen, sign and verify as people use them."""
import hashlib
import re
import stat

import pytest
from harness.approvals import allowlist, make_keys, manifest, ok, sign
from harness.exeat import run


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return make_keys(tmp_path_factory.mktemp("keys"), "alice", "bob", "eve")


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
        done = run("sign", "--key", tmp_path / "carol.key", "--audience", "production", *more, listed)
        assert done.returncode != 0 and says in done.stderr
    ok("sign", "--key", tmp_path / "carol.key", "--audience", "production", "--passphrase-file", tmp_path / "phrase", listed)
    assert "1 of 1" in ok("verify", "--trusted-key", tmp_path / "carol.pub", listed)


def test_signatures_add_up_and_a_changed_list_begins_anew(keys, tmp_path):
    listed = tmp_path / "allowlist.toml"
    listed.write_text(allowlist(1, "a"))
    sign(listed, keys, "alice")
    trust = ("--trusted-key", keys / "alice.pub", "--trusted-key", keys / "bob.pub", "--approvals", 2, listed)
    done = run("verify", *trust)
    assert done.returncode == 1 and "signed by 1 of the 2 trusted keys that must sign; 'exeat sign' adds one" in done.stderr
    done = run("sign", "--key", keys / "alice.key", listed)
    assert done.returncode != 0 and "has signed this already; another key must" in done.stderr
    sign(listed, keys, "bob")
    said = ok("verify", *trust)
    assert "serial 1, 2 of 2 approvals" in said and "alice.pub" in said and "bob.pub" in said
    listed.write_text(allowlist(2, "a", "b"))
    done = run("verify", *trust)
    assert done.returncode == 1 and "has other bytes than the manifest says" in done.stderr
    assert "dropping 2 signatures: what was signed has changed since" in ok("sign", "--key", keys / "bob.key", listed)
    assert run("verify", *trust).returncode == 1


def test_a_list_with_an_error_or_without_an_end_is_not_signed(keys, tmp_path):
    listed = tmp_path / "allowlist.toml"
    for text, says in ((allowlist(1, "a") + "hots = 1\n", "allowlist.toml:11:1: error:"), (allowlist(1, "a", expires=None), "add expires = 2027-01-01T00:00:00Z")):
        listed.write_text(text)
        done = run("sign", "--key", keys / "alice.key", "--audience", "production", listed)
        assert done.returncode != 0 and says in done.stderr, done.stderr
        assert not manifest(listed).exists()


def test_a_list_is_signed_for_an_environment(keys, tmp_path):
    listed = tmp_path / "allowlist.toml"
    listed.write_text(allowlist(1, "a"))
    for more, says in (((), "Give --audience NAME"), (("--audience", "Prod uction"), "write lower-case letters")):
        done = run("sign", "--key", keys / "alice.key", *more, listed)
        assert done.returncode == 1 and says in done.stderr, done.stderr
    sign(listed, keys, "alice", audience="staging")
    ok("sign", "--key", keys / "bob.key", listed)  # as the manifest that is there says
    assert "audience staging\nserial 1\n" in manifest(listed).read_text()
    trust = ("--trusted-key", keys / "alice.pub", "--trusted-key", keys / "bob.pub", "--approvals", 2, listed)
    ok("verify", *trust)
    done = run("verify", "--audience", "production", *trust)
    assert done.returncode == 1 and 'is signed for the audience "staging", and [policy] audience here is "production"' in done.stderr


def test_the_manifest_names_the_list_its_parts_and_their_hosts_files(keys, tmp_path):
    listed = tmp_path / "allowlist.toml"
    listed.write_text(allowlist(7, "a"))
    parts = tmp_path / "allowlist.d"
    parts.mkdir()
    (parts / "more.toml").write_text('[[allow]]\nname = "m"\nhosts_file = "names.txt"\n')
    (parts / "names.txt").write_text("m.approved.test\n")
    sign(listed, keys, "alice")
    digest = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest(listed).read_text().startswith(f"exeat policy manifest v1\naudience production\nserial 7\nlist {digest(listed)} allowlist.toml\n"
                                                   f"part {digest(parts / 'more.toml')} allowlist.d/more.toml\nhosts_file {digest(parts / 'names.txt')} allowlist.d/names.txt\n\nsigned ")
    done = run("sign", "--key", keys / "bob.key", parts / "more.toml")
    assert done.returncode == 1 and "is a part of" in done.stderr


def test_what_is_no_key_is_told(keys, tmp_path):
    listed = tmp_path / "allowlist.toml"
    listed.write_text(allowlist(1, "a"))
    for key, says in ((keys / "alice.pub", "is not a private key in PEM"), (tmp_path / "none", "No such file"), ("pkcs11:object=nobody", "PKCS#11 provider")):
        done = run("sign", "--key", key, "--audience", "production", listed)
        assert done.returncode != 0 and says in done.stderr, done.stderr
    sign(listed, keys, "alice")
    done = run("verify", "--trusted-key", keys / "alice.key", listed)
    assert done.returncode != 0 and "is no Ed25519 public key in PEM" in done.stderr
    done = run("verify", listed)
    assert done.returncode == 2 and "whom to trust" in done.stderr
