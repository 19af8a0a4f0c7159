"""`exeat replay` and `exeat suggest` on the log that a real exeat wrote of real traffic."""
import gzip
import json
import pathlib
import subprocess
import types

import pytest
from harness.client import ask, connect_request, http_request, open_tls, open_tunnel, read_exactly
from harness.exeat import BINARY, run
from harness.http_origin import reply
from harness.origin import echo
from harness.wait import seconds

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[groups.eval]
sources = ["127.0.0.2"]
[[allow]]
name = "sites"
hosts = ["site.replay.test", "never.replay.test"]
owner = "ml-platform"
reason = "pip \\"install\\" # [[allow]]"
purpose = "api"
upload = ["20480 KiB/1h", "1536 MiB/24h"]
[[allow]]
name = "wide"
hosts = ["*.w.replay.test"]
protocol = "http"
[[allow]]
name = "unused"
hosts = ["unused.replay.test"]
[[private_link]]
name = "raw"
hosts = ["echo.replay.test"]
ports = [7]
protocol = "tcp"
addresses = ["10.20.7.7"]
groups = ["lab"]
"""
HOSTILE = ['evil"]', "evil\\", "#evil", "[[allow]]", "evil\x7f\x1b[2J", "\xff\xfe", "evil\tname", "'''", "evil\\u000a[[allow]]"]


def traffic(lab, exeat):
    def get(host, source="127.0.0.1"):
        with exeat.connect(source=source) as s:
            return ask(s, http_request("GET", f"http://{host}/hello.txt", ["Connection: close"]))

    def refused(target, source="127.0.0.1"):
        with exeat.connect(source=source) as s:
            return ask(s, connect_request(target), "CONNECT").reason

    for name in ("a.w.replay.test", "b.w.replay.test"):
        assert get(name).status == 200
    assert get("a.w.replay.test", "127.0.0.2").status == 200
    with open_tls(exeat, lab.authority, "site.replay.test:443") as s:
        s.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: site.replay.test\r\nConnection: close\r\n\r\n")
        assert s.recv(8) == b"HTTP/1.1"
    with open_tunnel(exeat, "echo.replay.test:7") as s:
        s.sendall(b"x" * 5000)
        assert read_exactly(s, 5000) == b"x" * 5000
    for _ in range(12):
        assert refused("often.replay.test:443") == "not_allowed"
    assert refused("echo.replay.test:7", "127.0.0.2") == "not_allowed"
    assert get("gone.w.replay.test").reason == "dns_failure"
    for name in HOSTILE:
        assert refused(f"{name}:443") is not None


@pytest.fixture(scope="module")
def seen(lab):
    """The log, the list that it was written under, and exeat to look at them with."""
    host, _ = lab.place("site.replay.test", "a.w.replay.test", "b.w.replay.test", v6=False)
    lab.tls_origin("site.replay.test", host=host, routes={"*": reply(b"hello\n")})
    lab.http_origin(host, routes={"*": reply(b"hello\n")})
    lab.origin("10.20.7.7", 7, echo)
    with lab.exeat(ALLOWLIST) as exeat:
        traffic(lab, exeat)
        exeat.settled()
    return types.SimpleNamespace(log=exeat.audit_path, lines=exeat.audit_path.read_bytes().splitlines(True), allowlist=exeat.allowlist_path)


@pytest.fixture
def write(tmp_path):
    def to(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path
    return to


def replayed(log, allowlist, *more):
    done = run("replay", "--audit", log, allowlist, "--format", "json", *more)
    return done.returncode, json.loads(done.stdout)


def rows(told):
    return sorted((r["change"], r["group"], r["host"], r["port"], r["is"], r["requests"]) for r in told["rows"])


def test_the_list_that_was_in_force_changes_nothing(seen):
    done = run("replay", "--audit", seen.log, seen.allowlist)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 newly allowed, 0 newly denied, 5 still allowed, 13 still refused" in done.stdout
    assert "1 dns_failure" in done.stdout and "host_syntax" in done.stdout


def test_what_opens_and_what_closes_is_told_by_host_with_counts_and_bytes(seen, write):
    candidate = ALLOWLIST.replace('"*.w.replay.test"', '"b.w.replay.test"').replace("ports = [7]", "ports = [9]").replace(
        '"never.replay.test"', '"often.replay.test"')
    code, told = replayed(seen.log, write("new.toml", candidate))
    assert code == 1 and (told["newly_allowed"], told["newly_denied"]) == (12, 3)
    assert rows(told) == [("allowed", "lab", "often.replay.test", 443, "allowed", 12), ("denied", "eval", "a.w.replay.test", 80, "not_allowed", 1),
                          ("denied", "lab", "a.w.replay.test", 80, "not_allowed", 1), ("denied", "lab", "echo.replay.test", 7, "port_not_allowed", 1)]
    raw = next(r for r in told["rows"] if r["port"] == 7)
    assert (raw["upload"], raw["download"], raw["was_entry"]) == (5000, 5000, "raw")
    text = run("replay", "--audit", seen.log, write("new.toml", candidate)).stdout
    assert "    often.replay.test:443 (12 times)\n" in text and "    echo.replay.test:7 (once, 4.9 KiB up, 4.9 KiB down)\n" in text


def test_the_suggested_list_is_accepted_and_replays_without_a_change(seen, write):
    for options in ([], ["--allowlist", seen.allowlist]):
        done = run("suggest", "--audit", seen.log, *options)
        assert (done.returncode, done.stderr) == (0, "")
        narrow = write("narrow.toml", done.stdout)
        checked = run("check", narrow)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        code, told = replayed(seen.log, narrow)
        assert (code, rows(told)) == (0, []) and told["still_allowed"] == 5
        assert '"*.' not in done.stdout.split("# ----")[0]
        assert "# often.replay.test:443 asked 12 times by lab, denied not_allowed\n# [[allow]]\n" in done.stdout


def test_the_suggested_list_keeps_what_entries_say_and_tells_what_is_unused(seen):
    told = run("suggest", "--audit", seen.log, "--allowlist", seen.allowlist).stdout
    assert 'owner = "ml-platform"\nreason = "pip \\"install\\" # [[allow]]"\n' in told and "serial = 8\n" in told and 'purpose = "api"' in told and 'upload = ["20 MiB/1h", "1536 MiB/24h"]' in told
    report = run("suggest", "--audit", seen.log, "--allowlist", seen.allowlist, "--report")
    assert report.returncode == 0
    for words in ("entry 'unused' was not used", "nobody asked 'sites' for never.replay.test", "*.w.replay.test of 'wide' could be a.w.replay.test, b.w.replay.test"):
        assert words in report.stdout and f"{words}\n" in told


def test_json_says_it_all(seen):
    told = json.loads(run("suggest", "--audit", seen.log, "--allowlist", seen.allowlist, "--format", "json").stdout)
    assert {e["name"]: (e["hosts"], e["ports"], e["groups"]) for e in told["entries"] if e["served_by"] != "wide"} == {
        "raw": (["echo.replay.test"], [7], ["lab"]), "sites": (["site.replay.test"], [443], ["lab"])}
    assert sorted((e["hosts"], e["groups"]) for e in told["entries"] if e["served_by"] == "wide") == [
        (["a.w.replay.test"], ["eval", "lab"]), (["b.w.replay.test"], ["lab"])]
    assert told["candidates"] == [{"host": "often.replay.test", "port": 443, "http": False, "group": "lab", "denied": "not_allowed", "times": 12}]


def forged(seen, key, value):
    """The log as it would be if exeat wrote down what clients say."""
    lines = [json.loads(line) for line in seen.lines]
    return "".join(json.dumps({**line, key: value}) + "\n" if line["event.action"] in ("deny", "open") else json.dumps(line) + "\n" for line in lines)


@pytest.mark.parametrize("key", ["destination.domain", "exeat.group", "rule.name", "tls.client.server_name", "@timestamp", "event.reason"])
def test_what_is_no_canonical_name_is_never_printed(seen, write, key):
    for hostile in HOSTILE:
        hostile = f"{hostile}.evil.test\n[[allow]]\nname = 'evil'"
        log = write("forged.jsonl", forged(seen, key, hostile))
        for more in ([], ["--format", "json"]):
            told = [run("suggest", "--audit", log, "--times", 1, *more), run("replay", "--audit", log, seen.allowlist, *more)]
            for done in told:
                assert done.returncode in (0, 1) and "evil" not in done.stdout + done.stderr and "\x1b" not in done.stdout, done
            if not more:
                checked = run("check", write("narrow.toml", told[0].stdout))
                assert checked.returncode == 0, checked.stdout + checked.stderr


def test_rotated_gzipped_and_piped_logs_are_one_log(seen, write):
    half = len(seen.lines) // 2
    older = write("audit.jsonl.1.gz", gzip.compress(b"".join(seen.lines[:half])))
    newer = write("audit.jsonl", b"".join(seen.lines[half:]))
    whole = replayed(seen.log, seen.allowlist)
    assert replayed(older, seen.allowlist, "--audit", newer) == whole
    piped = subprocess.run([BINARY, "replay", "--audit", "-", seen.allowlist, "--format", "json"], input=b"".join(seen.lines), capture_output=True,
                           timeout=seconds(30), check=False)
    assert (piped.returncode, json.loads(piped.stdout)) == whole


def test_a_cut_log_and_foreign_lines_are_read_around_and_told(seen, write):
    text = b"".join(seen.lines)
    mixed = write("mixed.jsonl", b"kubelet says hello\n" + text + b"\n" + b"x" * 100_000 + b"\n" + b'{"a":1}\n' + seen.lines[-1][:50])
    done = run("replay", "--audit", mixed, seen.allowlist)
    assert done.returncode == 0 and "5 still allowed" in done.stdout
    assert "4 lines are none of an audit log's" in done.stderr and "the last line is cut" in done.stderr
    short = write("short.jsonl.gz", gzip.compress(text)[:-20])
    assert "is cut within its compressed data" in run("replay", "--audit", short, seen.allowlist).stderr


def test_since_leaves_out_what_is_older(seen, write):
    aged = write("aged.jsonl", b"".join(seen.lines).replace(json.loads(seen.lines[0])["@timestamp"][:11].encode(), b"2020-01-01T"))
    assert replayed(aged, seen.allowlist, "--since", "24h")[1]["log"]["requests"] == 0
    assert replayed(seen.log, seen.allowlist, "--since", "24h")[1]["log"]["requests"] == replayed(seen.log, seen.allowlist)[1]["log"]["requests"] > 0


@pytest.mark.parametrize("verb", ["replay", "suggest"])
def test_what_cannot_be_read_is_neither_yes_nor_no(seen, write, verb):
    end = [seen.allowlist] if verb == "replay" else []
    for log in ("absent.jsonl", write("foreign.txt", "not a log\n"), pathlib.Path("/")):
        done = run(verb, "--audit", log, *end)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr, done
    assert run(verb, "--audit", seen.log, "--since", "yesterday", *end).returncode == 2
    bad = write("bad.toml", "serial =")
    assert run(verb, "--audit", seen.log, *([bad] if verb == "replay" else ["--allowlist", bad])).returncode == 2
