"""What is said about a bad configuration, and the verbs that do not serve."""
import datetime
import json
import socket

import pytest
from harness.exeat import free_port, run, table

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "raw"
hosts = ["echo.life.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "plain"
hosts = ["plain.life.test"]
protocol = "http"
[[expect]]
client = "127.0.0.1"
target = "echo.life.test:7"
verdict = "allow"
[[expect]]
client = "127.0.0.1"
target = "evil.test:443"
verdict = "not_allowed"
"""


def config(tmp_path, **changes):
    """exeat.toml with one table changed, and the line that it is on."""
    tables = {
        "listen": table("[[listen]]", {"mode": "proxy", "address": f"127.0.0.1:{free_port()}"}),
        "admin": table("[admin]", {"address": f"127.0.0.1:{free_port()}"}),
        "policy": table("[policy]", {"allowlist": str(tmp_path / "allowlist.toml")}),
        "audit": table("[audit]", {"path": str(tmp_path / "audit.jsonl")}),
    }
    tables.update(changes)
    text = "".join(tables.values())
    path = tmp_path / "exeat.toml"
    path.write_text(text)
    (tmp_path / "allowlist.toml").write_text(ALLOWLIST)
    return path


BAD_CONFIGS = [
    ("an unknown key", {"admin": "[admin]\nadress = \"127.0.0.1:1\"\n"}, "exeat.toml:5:1: error:", "adress"),
    ("a wrong type", {"listen": "[[listen]]\nmode = 7\naddress = \"127.0.0.1:1\"\n"}, "exeat.toml:2:", "mode"),
    ("an unknown mode", {"listen": "[[listen]]\nmode = \"prxy\"\naddress = \"127.0.0.1:1\"\n"}, "exeat.toml:2:", "proxy"),
    ("no listener", {"listen": ""}, "exeat.toml:", "listen"),
    ("no TOML", {"audit": "[audit\n"}, "exeat.toml:8:", ""),
    ("a key twice", {"audit": "[audit]\npath = \"a\"\npath = \"b\"\n"}, "exeat.toml:10:", "path"),
    ("a bad duration", {"audit": "[limits]\nidle_timeout = \"1 fortnight\"\n"}, "exeat.toml:9:", "idle_timeout"),
    ("a bad address", {"admin": "[admin]\naddress = \"localhost\"\n"}, "exeat.toml:5:", "address"),
    ("a key not enforced yet", {"listen": "[[listen]]\nmode = \"proxy\"\naddress = \"127.0.0.1:1\"\ntls = { certificate = \"a\" }\n"}, "exeat.toml:4:", "tls"),
    ("trusted keys and nowhere to remember the serial", {"policy": "[policy]\nallowlist = \"a\"\ntrusted_keys = [\"k.pem\"]\n"}, "exeat.toml:", "state"),
]


@pytest.mark.parametrize("what, changes, place, named", BAD_CONFIGS, ids=[b[0] for b in BAD_CONFIGS])
def test_a_bad_configuration_is_told_with_its_place_and_nothing_starts(tmp_path, what, changes, place, named):
    done = run("serve", "--config", config(tmp_path, **changes))
    assert done.returncode == 1
    assert place in done.stderr and named in done.stderr and "error" in done.stderr, done.stderr


def test_a_bad_allowlist_at_start_is_told_with_its_place(tmp_path):
    path = config(tmp_path)
    for text, place in (("", "allowlist.toml:1:1: error:"), (ALLOWLIST + "hots = 1\n", "allowlist.toml:22:1: error:"), ("\xff\xfe", "allowlist.toml:1:")):
        (tmp_path / "allowlist.toml").write_text(text, encoding="latin-1")
        done = run("serve", "--config", path)
        assert done.returncode == 1 and place in done.stderr, done.stderr


@pytest.mark.parametrize("missing", ["exeat.toml", "allowlist.toml"])
def test_a_missing_file_is_named(tmp_path, missing):
    path = config(tmp_path)
    (tmp_path / missing).unlink()
    done = run("serve", "--config", path)
    assert done.returncode == 1 and missing in done.stderr and "No such file" in done.stderr


def test_a_port_that_is_taken_is_named(lab, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        for changes in ({"listen": table("[[listen]]", {"mode": "proxy", "address": address})}, {"admin": table("[admin]", {"address": address})}):
            done = run("serve", "--config", config(tmp_path, **changes))
            assert done.returncode == 1 and address in done.stderr, done.stderr


def test_an_audit_log_that_cannot_be_written_prevents_the_start(tmp_path):
    done = run("serve", "--config", config(tmp_path, audit=table("[audit]", {"path": str(tmp_path / "no" / "such" / "directory" / "audit.jsonl")})))
    assert done.returncode == 1 and "audit" in done.stderr


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["serve"], ["serve", "--config"], ["serve", "--conf", "x"], ["check"], ["check", "--format", "xml", "x"], ["explain", "a.test:443"],
                                  ["explain", "--client", "nobody", "--allowlist", "x", "a.test:443"], ["verify"]])
def test_wrong_usage_is_exit_code_2(argv):
    done = run(*argv)
    assert done.returncode == 2 and done.stderr


def test_version_and_help_answer():
    assert run("version").stdout.startswith("exeat ")
    assert run("help").returncode == 0
    for verb in ("serve", "check", "explain", "version", "help", "verify"):
        assert verb in run("help").stdout
        done = run("help", verb)
        assert done.returncode == 0 and "xample" in done.stdout, verb


def test_check_tells_of_a_good_list(tmp_path):
    path = config(tmp_path)
    for argv in (["check", tmp_path / "allowlist.toml"], ["check", "--config", path]):
        done = run(*argv)
        assert done.returncode == 0 and "serial 7" in done.stdout and ": error:" not in done.stdout, done.stdout
    told = json.loads(run("check", "--format", "json", tmp_path / "allowlist.toml").stdout)
    assert told["ok"] and told["allowlist"]["entries"] == 2 and told["allowlist"]["expectations"] == 2


def test_check_tells_of_every_error_with_its_place(tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text(ALLOWLIST.replace('verdict = "not_allowed"', 'verdict = "allow"').replace("[7]", "[70000]"))
    done = run("check", bad)
    assert done.returncode == 1 and f"{bad}:8:" in done.stdout, done.stdout
    told = json.loads(run("check", "--format", "json", bad).stdout)
    assert not told["ok"] and told["errors"] >= 1 and told["problems"]


def test_check_runs_the_expectations(tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text(ALLOWLIST.replace('verdict = "not_allowed"', 'verdict = "allow"'))
    done = run("check", bad)
    assert done.returncode == 1 and "evil.test:443" in done.stdout


def test_check_strict_fails_on_a_warning(tmp_path):
    warned = tmp_path / "warned.toml"
    past = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    warned.write_text(ALLOWLIST.replace('name = "plain"', f'name = "plain"\nexpires = {past}'))
    assert run("check", warned).returncode == 0 and "warning" in run("check", warned).stdout
    assert run("check", "--strict", warned).returncode == 1


def test_explain_says_what_serve_would_do(lab, tmp_path):
    config(tmp_path)
    path = tmp_path / "allowlist.toml"
    good = run("explain", "--client", "127.0.0.1", "--allowlist", path, "echo.life.test:7", "http://plain.life.test")
    assert good.returncode == 0 and f"{path}:5" in good.stdout and "raw" in good.stdout, good.stdout
    bad = run("explain", "--client", "127.0.0.1", "--allowlist", path, "echo.life.test:7", "evil.test:443")
    assert bad.returncode == 1 and "not_allowed" in bad.stdout
    assert run("explain", "--client", "10.1.1.1", "--allowlist", path, "echo.life.test:7").stdout.count("source_not_allowed") >= 1
    told = json.loads(run("explain", "--client", "127.0.0.1", "--allowlist", path, "--format", "json", "evil.test:443").stdout)
    assert len(told) == 1 and "not_allowed" in json.dumps(told)


def test_explain_says_the_decision_then_what_it_rests_on_then_what_to_do(tmp_path):
    (tmp_path / "list.toml").write_text("""serial = 1
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "site"
hosts = ["site.test"]
owner = "us"
[[deny]]
name = "closed"
hosts = ["93.184.216.0/24"]
""")
    explained = lambda target, client="127.0.0.1": run("explain", "--client", client, "--allowlist", "list.toml", target, cwd=tmp_path).stdout.splitlines()
    assert explained("site.test:443") == [
        "'site.test:443': allowed by 'site' ([[allow]] at list.toml:4)", "    owner: us", "    group: lab",
        "    then: the name is looked up, and every address of the answer must be a public one", "    and none that is denied by 'closed' (list.toml:8)",
        "    then: the TLS server name must be site.test, without ECH",
        "    explain asks no DNS: whether an address of the answer is denied shows when the name is used"]
    assert explained("site.test:80") == [
        "'site.test:80': port_not_allowed by 'site' ([[allow]] at list.toml:4)", "    the host is allowed, but not on this port", "    owner: us", "    group: lab",
        "    'site' (list.toml:4) names this host: protocol tls, ports 443"]
    assert explained("site.test")[2] == "    'site.test' has no port: write one behind the host, as in host:443"
    assert len(explained("site_test:443 x")) == 2, "what is wrong with the host is said once"
    assert explained("site.test:443", "10.1.1.1")[2:] == [
        "    group: none", "    10.1.1.1 lies in the sources of none of the groups: write its network into the one that it belongs to"]
