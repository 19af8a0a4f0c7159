"""[[deny]] of addresses and networks: whatever name leads there (smokescreen calls it --deny-range)."""
import json

import pytest
from harness.client import connect_reply, gone, open_tunnel, read_exactly
from harness.exeat import run
from harness.oracle import refused
from harness.topology import public4, public6
from harness.wait import wait_until

DENIED4, OTHER4, DENIED6 = public4(230), public4(231), public6(0x230)
BASE = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[groups.eval]
sources = ["127.0.0.2"]
[[allow]]
name = "raw"
hosts = ["one.denied.test", "two.denied.test", "six.denied.test", "both.denied.test"]
ports = [7, 8]
protocol = "tcp"
[[private_link]]
name = "link"
hosts = ["pinned.denied.test"]
ports = [7]
protocol = "tcp"
addresses = ["10.20.0.5"]
"""


def deny(*hosts, more=""):
    return f'[[deny]]\nname = "no-such-place"\nhosts = {json.dumps(hosts)}\n{more}\n'


@pytest.fixture(scope="module")
def module_exeat(lab):
    for address in (DENIED4, OTHER4, DENIED6, "10.20.0.5"):
        lab.origin(address, 7)
    lab.origin(DENIED4, 8)
    lab.dns.set("one.denied.test", DENIED4)
    lab.dns.set("two.denied.test", OTHER4)
    lab.dns.set("six.denied.test", DENIED6)
    lab.dns.set("both.denied.test", OTHER4, DENIED6)
    with lab.exeat(BASE) as running:
        yield running


@pytest.fixture
def exeat(module_exeat):
    module_exeat.reload(BASE)
    return module_exeat


def passes(exeat, target, source=None):
    with open_tunnel(exeat, target, **({"source": source} if source else {})) as s:
        s.sendall(b"ping")
        return read_exactly(s, 4) == b"ping"


@pytest.mark.parametrize("denied", [DENIED4, f"{DENIED4}/32", DENIED4.rsplit(".", 2)[0] + ".0.0/16", "0.0.0.0/0"])
def test_an_allowed_name_that_resolves_to_a_denied_address_is_refused(lab, exeat, tmp_path, denied):
    assert passes(exeat, "one.denied.test:7")
    exeat.reload(BASE + deny(denied))
    lines = exeat.settled()
    with refused(lab, exeat, "denied_by_rule", resolves=["one.denied.test"]):
        assert connect_reply(exeat, "one.denied.test:7").reason == "denied_by_rule"
    line = wait_until(lambda: exeat.audit(lines, event__action="deny"))[0]
    assert line["rule.name"] == "no-such-place", "the entry that denied it, not the one that allowed the name"
    assert line["destination.ip"] == DENIED4, "the address that refused it"
    (tmp_path / "audit.jsonl").write_text(json.dumps(line) + "\n")
    replayed = run("replay", "--audit", tmp_path / "audit.jsonl", exeat.allowlist_path)
    assert replayed.returncode == 0 and "0 newly allowed" in replayed.stdout and "1 still refused" in replayed.stdout, replayed.stdout
    assert passes(exeat, "six.denied.test:7")


def test_one_denied_address_refuses_the_whole_answer(lab, exeat):
    exeat.reload(BASE + deny(f"{DENIED6}/128"))
    with refused(lab, exeat, "denied_by_rule", resolves=["both.denied.test"]):
        assert connect_reply(exeat, "both.denied.test:7").reason == "denied_by_rule"
    assert passes(exeat, "two.denied.test:7")


def test_a_deny_of_an_address_is_for_its_groups_and_ports_alone(exeat):
    exeat.reload(BASE + deny(DENIED4, more='groups = ["eval"]\nports = [8]'))
    assert passes(exeat, "one.denied.test:7") and passes(exeat, "one.denied.test:8") and passes(exeat, "one.denied.test:7", "127.0.0.2")
    assert connect_reply(exeat, "one.denied.test:8", source="127.0.0.2").reason == "denied_by_rule"


def test_a_pinned_address_is_denied_as_well(lab, exeat):
    assert passes(exeat, "pinned.denied.test:7")
    exeat.reload(BASE + deny("10.20.0.0/16"))
    with refused(lab, exeat, "denied_by_rule"):
        assert connect_reply(exeat, "pinned.denied.test:7").reason == "denied_by_rule"


def test_open_tunnels_to_an_address_that_comes_to_be_denied_are_cut(exeat):
    with open_tunnel(exeat, "one.denied.test:7") as one, open_tunnel(exeat, "two.denied.test:7") as two:
        exeat.reload(BASE + deny(DENIED4))
        assert gone(one)
        two.sendall(b"ping")
        assert read_exactly(two, 4) == b"ping"
    wait_until(lambda: exeat.audit(event__action="close", event__reason="policy_revoked"))


def test_a_hosts_file_denies_networks_too(exeat):
    (exeat.directory / "blocked.txt").write_text(f"# a shared list\n{DENIED4}/32\n")
    exeat.reload(BASE + '[[deny]]\nname = "shared"\nhosts_file = "blocked.txt"\n')
    assert connect_reply(exeat, "one.denied.test:7").reason == "denied_by_rule"
    (exeat.directory / "blocked.txt").write_text(f"# a shared list\n{OTHER4}/32\n")
    wait_until(lambda: connect_reply(exeat, "two.denied.test:7").reason == "denied_by_rule")
    assert passes(exeat, "one.denied.test:7")


def test_the_verbs_know_denied_networks(tmp_path):
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(BASE)
    new.write_text(BASE + deny("198.18.0.0/15"))
    closes, opens = run("diff", old, new), run("diff", new, old)
    assert closes.returncode == 0 and "closes for" in closes.stdout and "198.18.0.0/15" in closes.stdout and "no-such-place" in closes.stdout
    assert opens.returncode == 1 and "opens for" in opens.stdout and "198.18.0.0/15" in opens.stdout
    assert json.loads(run("diff", "--format", "json", new, old).stdout)["opens"] is True
    assert run("diff", new, new).stdout == "nothing opens and nothing closes\n"
    told = run("explain", "--client", "127.0.0.1", "--allowlist", new, "one.denied.test:7")
    assert told.returncode == 0 and "none that is denied by 'no-such-place'" in told.stdout and "explain asks no DNS" in told.stdout
    assert "explain asks no DNS" not in run("explain", "--client", "127.0.0.1", "--allowlist", old, "one.denied.test:7").stdout
    literal = run("explain", "--client", "127.0.0.1", "--allowlist", new, "198.18.0.1:7")
    assert literal.returncode == 1 and "denied_by_rule by 'no-such-place'" in literal.stdout
    assert run("check", new).returncode == 0
    new.write_text(BASE + deny("10.20.0.5"))
    pinned = run("explain", "--client", "127.0.0.1", "--allowlist", new, "pinned.denied.test:7")
    assert pinned.returncode == 1 and "denied_by_rule by 'no-such-place'" in pinned.stdout, pinned.stdout
    assert "10.20.0.5 is private_use, and pinned.denied.test leads there: a [[deny]] names it or a network around it" in pinned.stdout
    assert "without that, 'link' (" in pinned.stdout
    new.write_text(BASE.replace("one.denied.test", "198.18.0.0/15"))
    checked = run("check", new)
    assert checked.returncode == 1 and "only a [[deny]] takes" in checked.stdout + checked.stderr


def test_importers_take_networks_of_what_is_denied(tmp_path):
    (tmp_path / "bad.txt").write_text("198.18.0.0/15\n.evil.test\n")
    made = run("import", "squid", "--deny", tmp_path / "bad.txt")
    assert made.returncode == 0 and '"198.18.0.0/15"' in made.stdout
    (tmp_path / "acl.yaml").write_text("version: v1\nservices: []\nglobal_deny_list:\n  - 198.18.0.0/15\n")
    made = run("import", "smokescreen", tmp_path / "acl.yaml")
    assert made.returncode == 0 and '"198.18.0.0/15"' in made.stdout, made.stderr
    lost = run("import", "squid", tmp_path / "bad.txt")
    assert lost.returncode == 1 and "only a [[deny]] takes" in lost.stderr
    nobody = run("import", "smokescreen", tmp_path / "acl.yaml", "--sources", "training=10.42.0.0/16")
    assert nobody.returncode == 2 and "names no role" in nobody.stderr
    bare = run("import", "squid", tmp_path / "bad.txt", "--sources", "10.42.0.0/16")
    assert bare.returncode == 2 and "write ROLE=NETWORK, like" in bare.stderr
