"""`exeat version` says which formats of state and log this version writes; the files that it writes begin with them."""
import re

import pytest
from harness.client import alive, open_tunnel
from harness.exeat import run

ALLOWLIST = """
serial = 7
expires = 2999-01-01T00:00:00Z
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "open"
hosts = ["*.formats.test"]
ports = [443]
[[allow]]
name = "raw"
hosts = ["raw.formats.test"]
ports = [7]
protocol = "tcp"
upload = "2 MiB/1h"
"""


@pytest.fixture(scope="module")
def printed():
    done = run("version")
    assert done.returncode == 0
    formats = dict(re.findall(r"^  (\S+) +(\S.*?)(?:; reads also .*)?$", done.stdout.partition("audit log:")[0], re.M))
    statements = re.findall(r"^  (.+)$", done.stdout.partition("signed:\n")[2], re.M)
    return formats, statements


def heading(path):
    """The first line of a file, or what its JSON calls itself."""
    first = path.read_bytes().partition(b"\n")[0].decode()
    found = re.search(r'"exeat":"([^"]*)"', first)
    return found[1] if found else first


def test_every_file_in_state_begins_with_a_format_that_version_prints(lab, tmp_path, printed):
    host, _ = lab.place("raw.formats.test", v6=False)
    lab.origin(host, 7)
    assert run("keygen", tmp_path / "alice").returncode == 0
    (tmp_path / "state").mkdir()
    exeat = lab.exeat(ALLOWLIST, policy={"state": str(tmp_path / "state"), "trusted_keys": [str(tmp_path / "alice.pub")], "audience": "test"})
    assert run("sign", "--key", tmp_path / "alice.key", "--audience", "test", exeat.allowlist_path).returncode == 0
    with exeat:
        with open_tunnel(exeat, "raw.formats.test:7") as s:
            assert alive(s)
    assert exeat.wait() == 0
    formats, statements = printed
    there = {str(f.relative_to(tmp_path / "state")): heading(f) for f in (tmp_path / "state").rglob("*")
             if f.is_file() and not f.name.endswith(".lock") and not re.fullmatch("[0-9a-f]{64}", f.name)}
    longest_first = sorted(formats.items(), key=lambda f: -len(f[0]))
    known = {name: next((format for file, format in longest_first if re.fullmatch(re.escape(file) + r"([-.].*)?", name)), None) for name in there}
    assert there == known
    assert {"uploads", "uploads.tally", "accounts", "names", "names.journal", "detectors", "policy.json", "approved/manifest"} <= set(there)
    assert heading(exeat.allowlist_path.with_name(exeat.allowlist_path.name + ".manifest")) in statements
