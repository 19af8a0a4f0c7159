"""Other proxies' lists, as people write them, with their mistakes: what is made of them, and what is said."""
import pytest
from harness.exeat import run

ACL = """---
# who may go where; ask in #egress
version: v1
services:
  - name: training
    project: ml-platform
    action: enforce
    allowed_domains:
      - pkg.test
      - "*.mirrors.test"   # any of them
  - name: Payment Hooks
    project: payments
    action: report
    allowed_domains:
      - hooks.test
      - https://api.test/v1
      - "*.s3.amazonaws.com"
default:
  project: other
  action: enforce
  allowed_domains: [time.test]
global_deny_list:
  - paste.test
"""


def lines(text):
    return [line for line in text.splitlines() if line]


def test_an_acl_becomes_a_list_that_check_accepts_and_its_losses_are_named_twice(tmp_path):
    acl, out = tmp_path / "acl.yaml", tmp_path / "allowlist.toml"
    acl.write_text(ACL)
    done = run("import", "smokescreen", acl, "--sources", "training=10.42.0.0/16", "--sources", "training=fd00:42::/64", "-o", out)
    assert done.returncode == 1 and not done.stdout
    lost = [line for line in lines(done.stderr) if ": error: " in line]
    assert [line.split(": error: ")[0] for line in lost] == [f"{acl}:{place}" for place in ("11:5", "16:9", "17:9")], done.stderr
    for line in lost:
        assert f"#   line {line.split(':')[1]}: {line.split(': error: ')[1]}" in out.read_text()
    assert "3 not carried over" in done.stderr
    checked = run("check", out)
    assert checked.returncode == 0, checked.stdout
    assert "nobody is in group 'payment-hooks': 0.0.0.0/32 is not a client's address; write" in checked.stdout
    assert "nobody is in group 'training'" not in checked.stdout
    for target, status in (("pkg.test:443", 0), ("a.b.mirrors.test:443", 0), ("mirrors.test:443", 1), ("hooks.test:443", 1)):
        assert run("explain", "--client", "10.42.0.7", "--allowlist", out, target).returncode == status, target


def test_ports_owners_and_groups_are_as_asked(tmp_path):
    acl = tmp_path / "acl.yaml"
    acl.write_text("version: v1\nservices:\n- {name: a, action: enforce, allowed_domains: [ok.test]}\n")
    done = run("import", "smokescreen", "--ports", "443,8443,443", "--http-ports", "80", "--owner", "infra", "--sources", "a=10.1.0.0/16", acl)
    assert done.returncode == 0
    out = tmp_path / "allowlist.toml"
    out.write_text(done.stdout)
    assert run("check", "--strict", out).returncode == 0
    for target, status in (("ok.test:8443", 0), ("http://ok.test", 0), ("ok.test:80", 0), ("ok.test:81", 1)):
        assert run("explain", "--client", "10.1.0.7", "--allowlist", out, target).returncode == status, target


def test_dstdomain_files_become_an_entry_each(tmp_path):
    one, two, out = tmp_path / "Good Ones.txt", tmp_path / "more.acl", tmp_path / "allowlist.toml"
    one.write_text("# mirrors\n.mirrors.test\npkg.test\n")
    two.write_text(".time.test\r\n*.bad.test\r\n")
    done = run("import", "squid", one, two, "--sources", "lab=10.9.0.0/16", "-o", out)
    assert done.returncode == 1 and f"{two}:2:1: error: '*.bad.test': Squid knows no '*' here; write .example.org" in done.stderr
    assert run("check", out).returncode == 0
    assert 'name = "good-ones"' in out.read_text() and 'name = "more"' in out.read_text()
    for target in ("mirrors.test:443", "a.mirrors.test:443", "pkg.test:443", "x.time.test:443"):
        assert run("explain", "--client", "10.9.0.7", "--allowlist", out, target).returncode == 0, target
    closed = run("import", "squid", one, "--deny")
    assert closed.returncode == 0 and "[[deny]]" in closed.stdout and "[[allow]]" not in closed.stdout


@pytest.mark.parametrize("arguments, said", [
    (["smokescreen", "{acl}", "--sources", "trainign=10.0.0.0/8"], "there is no role 'trainign'; did you mean 'training'?"),
    (["smokescreen", "{acl}", "--sources", "training=10.0.0.1/8"], "--sources"),
    (["smokescreen", "{acl}", "--sources", "10.0.0.0/8"], "ROLE=NETWORK"),
    (["smokescreen", "{acl}", "--ports", "70000"], "--ports"),
    (["smokescreen", "{acl}", "--sources", "training=::/0"], "every IPv4 address"),
    (["smokescreen", "{acl}", "--owner", "a\nb"], "one plain line"),
    (["smokescreen", "{acl}", "--ports", ",".join(map(str, range(1, 66)))], "64 ports at most"),
    (["smokescreen", "{missing}"], "cannot open"),
    (["smokescreen", "{other}"], "no ACL"),
    (["squid", "{missing}"], "cannot open"),
    (["haproxy", "{acl}"], "haproxy"),
    (["smokescreen", "{acl}", "-o", "{missing}/x"], "cannot be written"),
], ids=lambda a: " ".join(a) if isinstance(a, list) else "")
def test_wrong_usage_is_told_and_writes_nothing(tmp_path, arguments, said):
    acl, other, out = tmp_path / "acl.yaml", tmp_path / "other.yaml", tmp_path / "out.toml"
    acl.write_text(ACL)
    other.write_text("version: v2\nservices: []\n")
    filled = [a.format(acl=acl, other=other, missing=tmp_path / "missing") for a in arguments]
    done = run("import", *filled, *([] if "-o" in filled else ["-o", out]))
    assert done.returncode == 2 and said in done.stderr, done.stderr
    assert not out.exists()


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    acl = tmp_path / "acl.txt"
    for size, status in ((8 * 1024 * 1024, 0), (8 * 1024 * 1024 + 1, 2)):
        acl.write_bytes(b"ok.test\n#" + b"x" * (size - 9))
        done = run("import", "squid", acl)
        assert done.returncode == status, done.stderr
    assert "larger than 8 MiB" in done.stderr


@pytest.mark.parametrize("name", ["a\nowner = 7", "a" * 200 + "ä" * 20, "\udcff\udcfe", "a\"]", "\x7f\x1b[2J", "= x"])
def test_whatever_a_files_name_is_the_list_is_one_that_check_accepts(tmp_path, name):
    listed, out = tmp_path / name, tmp_path / "allowlist.toml"
    listed.write_text("ok.test\n")
    done = run("import", "squid", listed, "-o", out, errors="replace")
    assert done.returncode == 0, done.stderr
    assert "1 entry" in run("check", out).stdout


def test_what_a_files_name_holds_stays_a_comment(tmp_path):
    acl = tmp_path / "a\n[[allow]]\nname = 'x'"
    acl.write_text("version: v1\nservices:\n- {name: \"a\\\"]\\n[[allow]]\", action: enforce, allowed_domains: [ok.test]}\n")
    done = run("import", "smokescreen", acl)
    assert done.returncode == 1  # that name is no line
    out = tmp_path / "allowlist.toml"
    out.write_text(done.stdout)
    assert "0 entries" in run("check", out).stdout
