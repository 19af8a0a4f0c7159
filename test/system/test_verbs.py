"""What is said about a bad configuration, and the verbs that do not serve."""
import datetime
import json
import os
import shutil
import socket
import subprocess

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
    assert done.returncode == 1 and "audit" in done.stderr and "make it" in done.stderr and str(tmp_path / "no") in done.stderr


def test_check_tries_what_a_start_needs_of_this_machine(lab, tmp_path):
    good = config(tmp_path)
    assert run("check", "--config", good).returncode == 0 and not (tmp_path / "audit.jsonl").exists(), "it leaves no trace"
    missing = tmp_path / "none"
    changes = {"audit": table("[audit]", {"path": str(missing / "audit.jsonl")}), "policy": table("[policy]", {"allowlist": str(tmp_path / "allowlist.toml"), "state": str(missing)})}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        bad = config(tmp_path, listen=table("[[listen]]", {"mode": "proxy", "address": address}), admin=table("[admin]", {"address": "192.0.2.1:1"}), **changes)
        done = run("check", "--config", bad)
        assert done.returncode == 1 and "5 errors" not in done.stdout and "4 errors" in done.stdout, done.stdout
        for words in (f"audit log: the directory {missing} does not exist; make it", f"state: the directory {missing} does not exist; make it",
                      f"cannot listen on {address}: Address already in use; stop what holds the port", "cannot listen on 192.0.2.1:1: Cannot assign requested address; write an address of this machine"):
            assert words in done.stdout, done.stdout
        assert run("check", "--elsewhere", "--config", bad).returncode == 0
        started = run("serve", "--config", bad)
        assert started.returncode == 1 and f"the directory {missing} does not exist" in started.stderr and address not in started.stderr, "before it listens"


def test_check_says_whom_it_asked_as_where_a_directory_is_not_its_users(lab, tmp_path):
    tmp_path.chmod(0o755)
    for above in tmp_path.parents[:3]:
        above.chmod(above.stat().st_mode | 0o055)
    done = run("check", "--config", config(tmp_path), user=65534)
    assert done.returncode == 1 and f"uid 65534 cannot write into {tmp_path}: Permission denied" in done.stdout, done.stdout


def test_what_a_running_exeat_holds_is_a_note_of_check(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        done = run("check", "--config", exeat.config_path)
        assert done.returncode == 0 and f"note: 127.0.0.1:{exeat.proxy_port} is in use, as it should be while exeat runs (pid {exeat.pid})" in done.stdout, done.stdout
        told = json.loads(run("check", "--format", "json", "--config", exeat.config_path).stdout)
        assert told["ok"] and len(told["notes"]) == 3


STATE_FILES = ["uploads", "uploads.lock", "accounts", "names.lock", "detectors", "quarantine", "quarantine.lock"]


def _put(path, kind):
    if kind == "directory":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to(path if kind == "loop" else path.parent / "nothing" / "there")


@pytest.mark.parametrize("kind", ["directory", "FIFO", "loop"])
@pytest.mark.parametrize("name", STATE_FILES)
def test_check_names_what_is_in_the_place_of_a_state_file(tmp_path, name, kind):
    state = tmp_path / "state"
    state.mkdir()
    _put(state / name, kind)
    path = config(tmp_path, policy=table("[policy]", {"allowlist": str(tmp_path / "allowlist.toml"), "state": str(state)}))
    done = run("check", "--config", path)
    assert done.returncode == 1 and f"state: {state / name}" in done.stdout and "remove it" in done.stdout, done.stdout


@pytest.mark.parametrize("kind, says", [("directory", "is a directory; name a file in it"), ("socket", "is a socket; name a file"),
                                        ("loop", "is a symbolic link to"), ("link", "is a symbolic link to"), ("long", "File name too long; name another file")])
def test_check_names_what_is_in_the_place_of_the_audit_log(lab, tmp_path, kind, says):
    log = tmp_path / ("n" * 300 if kind == "long" else "log")
    with socket.socket(socket.AF_UNIX) as s:
        if kind == "socket":
            s.bind(str(log))
        elif kind != "long":
            _put(log, kind)
        path = config(tmp_path, audit=table("[audit]", {"path": str(log)}))
        done = run("check", "--config", path)
        assert done.returncode == 1 and f"audit log: {log}" in done.stdout and says in done.stdout, done.stdout
        assert run("serve", "--config", path).returncode == 1, "and it is so"


def test_check_says_that_a_fifo_for_the_audit_log_is_not_tried(tmp_path):
    os.mkfifo(tmp_path / "log")
    done = run("check", "--config", config(tmp_path, audit=table("[audit]", {"path": str(tmp_path / "log")})))
    assert done.returncode == 0 and "is a FIFO; exeat starts only while somebody reads it" in done.stdout, done.stdout


def test_what_another_exeat_or_another_program_holds_is_an_error_of_check(lab, tmp_path):
    with lab.exeat(ALLOWLIST) as exeat:
        other = lab.exeat(ALLOWLIST, proxy_port=exeat.proxy_port, audit={"path": str(exeat.audit_path)})
        done = run("check", "--config", other.config_path)
        assert done.returncode == 1, done.stdout
        assert f"127.0.0.1:{exeat.proxy_port} is in use by another exeat (pid {exeat.pid}), which reads {exeat.config_path}; stop that one, or name another" in done.stdout
        assert f"audit log: another process (pid {exeat.pid}) writes {exeat.audit_path}; give each its own" in done.stdout
    namesake = tmp_path / "exeatd"
    shutil.copy("/bin/sleep", namesake)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        held = subprocess.Popen([namesake, "60"], pass_fds=[taken.fileno()])
        try:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            done = run("check", "--config", config(tmp_path, listen=table("[[listen]]", {"mode": "proxy", "address": address})))
            assert done.returncode == 1 and f"cannot listen on {address}: Address already in use" in done.stdout, done.stdout
        finally:
            held.kill()
            held.wait()


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
    assert "    read as site.test:443, as in a CONNECT" in explained("site.test")
    assert len(explained("site_test:443 x")) == 2, "what is wrong with the host is said once"
    assert explained("site.test:443", "10.1.1.1")[2:] == [
        "    group: none", "    10.1.1.1 lies in the sources of none of the groups: write its network into the one that it belongs to"]


@pytest.mark.parametrize("typed, meant", [("ecko.life.test", "echo.life.test"), ("plain.lif.test", "plain.life.test"), ("echo.live.tset", None)])
def test_explain_knows_a_host_by_a_typing_mistake(tmp_path, typed, meant):
    config(tmp_path)
    said = run("explain", "--client", "127.0.0.1", "--allowlist", tmp_path / "allowlist.toml", f"{typed}:7").stdout
    assert "no [[allow]] or [[private_link]] names this host" in said
    assert f"; did you mean {meant} of '" in said if meant else "did you mean" not in said, said


@pytest.mark.parametrize("pasted, read, allowed", [
    ("https://echo.life.test:7/simple/", "echo.life.test:7", True), ("echo.life.test:7/simple", "echo.life.test:7", True), ("https://evil.test/", "evil.test:443", False),
    ("evil.test", "evil.test:443", False), ("git@evil.test:a/b.git", "evil.test:22", False), ("ssh://git@evil.test/a", "evil.test:22", False), (" <https://evil.test> ", "evil.test:443", False),
    ("http://plain.life.test/a?b", "", True), ("2001:db8::1", "[2001:db8::1]:443", False), ("wss://evil.test:8443/x#y", "evil.test:8443", False)])
def test_explain_takes_what_people_paste_and_says_how_it_read_it(tmp_path, pasted, read, allowed):
    config(tmp_path)
    done = run("explain", "--client", "127.0.0.1", "--allowlist", tmp_path / "allowlist.toml", pasted)
    assert done.returncode == (0 if allowed else 1), done.stdout
    assert (f"read as {read}, as in a CONNECT" in done.stdout) if read else ("read as" not in done.stdout), done.stdout


def test_explain_names_the_entry_next_to_a_host_that_none_names(tmp_path):
    config(tmp_path)
    path = tmp_path / "allowlist.toml"
    path.write_text(ALLOWLIST + '[[allow]]\nname = "papers"\nhosts = ["*.arxiv.test"]\n')
    above = run("explain", "--client", "127.0.0.1", "--allowlist", path, "arxiv.test:443").stdout
    assert f"'papers' ({path}:22) names what is below arxiv.test, and a wildcard does not take in the name itself" in above, above
    below = run("explain", "--client", "127.0.0.1", "--allowlist", path, "www.echo.life.test:7").stdout
    assert f"'raw' ({path}:5) names echo.life.test, and not what is below it" in below, below


def test_an_expectation_that_fails_says_which_entry_came_closest(tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text(ALLOWLIST + '[[expect]]\nclient = "127.0.0.1"\ntarget = "echo.life.test:8"\nverdict = "allow"\n[[expect]]\nclient = "127.0.0.2"\ntarget = "echo.life.test:7"\nverdict = "allow"\n')
    done = run("check", bad)
    assert f"is allowed, but it is port_not_allowed: 'raw' ({bad}:5) names this host: protocol tcp, ports 7; fix" in done.stdout, done.stdout
    assert "but it is source_not_allowed: 127.0.0.2 lies in the sources of none of the groups" in done.stdout


@pytest.mark.parametrize("argv, code, words", [
    (["help", "--help"], 0, "usage: exeat VERB"), (["chekc", "x"], 2, "there is no verb 'chekc'; did you mean 'check'?"), (["help", "chekc"], 2, "did you mean 'check'?"),
    (["diff", "a.toml"], 2, "exeat diff: NEW is missing: the candidate; example: exeat diff allowlist.toml new.toml"),
    (["check", "--stirct", "a.toml"], 2, "exeat check: there is no option --stirct; did you mean '--strict'?"), (["explain", "a.test:443"], 2, "--client is missing: the client's address")])
def test_wrong_usage_is_told_with_what_was_meant(argv, code, words):
    done = run(*argv)
    assert done.returncode == code and words in done.stdout + done.stderr, done


def test_a_file_that_includes_another_one_is_told_of_allowlist_d(tmp_path):
    config(tmp_path)
    path = tmp_path / "allowlist.toml"
    path.write_text('include = ["more.toml"]\n' + ALLOWLIST)
    done = run("check", path)
    assert done.returncode == 1 and "allowlist.toml:1:1: error: unknown key 'include' at the top level; no file includes another one: the .toml files in allowlist.d" in done.stdout


def test_a_hosts_file_that_is_missing_is_told_of_at_its_key_and_entry(tmp_path):
    config(tmp_path)
    path = tmp_path / "allowlist.toml"
    path.write_text(ALLOWLIST + '[[allow]]\nname = "listed"\nhosts_file = "none.txt"\n')
    done = run("check", path)
    assert done.returncode == 1 and f"{path}:24:14: error: hosts_file '{tmp_path}/none.txt' of 'listed' cannot be opened: No such file or directory" in done.stdout, done.stdout
