"""`exeat top` where its output is no terminal: one page of plain text, of whatever an admin listener says."""
import json
import os
import pty
import re
import socket
import subprocess
import threading

import pytest
from harness.client import connect_reply, open_tunnel, read_exactly
from harness.exeat import BINARY, run
from harness.fake_admin import FakeAdmin, budget, busy, busy_tunnels, client, entry, finding, status, tunnel
from harness.wait import seconds, wait_until

pytestmark = pytest.mark.usefixtures("lab")  # loopback is up

MiB = 1024 * 1024
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\u202ereversed\u200b\u6f22\x7f" + "A" * 10_000
LOCALE = dict(os.environ, LC_ALL="C.UTF-8")


def page(admin, *options, **more):
    done = run("top", "--admin", admin.url, *options, env=LOCALE, **more)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def failed(url, *options):
    """What it says of its failure."""
    done = run("top", "--admin", url, *options, env=LOCALE)
    assert done.returncode == 1 and not done.stdout and done.stderr.startswith("exeat top: "), (done.returncode, done.stdout, done.stderr)
    assert harmless(done.stderr)
    return done.stderr


def harmless(text):
    """Nothing but lines of characters that are one column wide and stand where they are written."""
    return all(c == "\n" or " " <= c <= "~" or "\u00a1" <= c <= "\u05ff" for c in text)


def all_of(terminal):
    """What was written to its other side, which is closed."""
    said = b""
    try:
        while got := os.read(terminal, 65536):
            said += got
    except OSError:
        pass  # so Linux says that there is no other side any more
    os.close(terminal)
    return said.decode()


class Says:
    """A server that says these bytes to everybody, and then nothing more; `each` of them on its own, so many seconds apart."""

    def __init__(self, said, each=None, close=True):
        self._said, self._each, self._close, self._over = said, each, close, threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while not self._over.is_set():
            s, _ = self._server.accept()
            with s:
                if self._over.is_set():
                    return
                s.recv(65536)
                try:
                    for piece in [self._said] if self._each is None else [self._said[i:i + 1] for i in range(len(self._said))]:
                        s.sendall(piece)
                        if self._each is not None and self._over.wait(self._each):
                            break
                except OSError:
                    continue
                if not self._close:
                    self._over.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._over.set()
        socket.create_connection(self._server.getsockname()).close()
        self._thread.join()
        self._server.close()


def answer(body):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


# ---- what it prints ----

def test_piped_it_prints_every_part_once_and_aligned():
    with FakeAdmin(busy(), busy_tunnels(250)) as admin:
        text = page(admin)
    assert "\x1b" not in text and harmless(text)
    head, *parts = text.split("\n\n")
    assert [p.split("\n")[0] for p in parts] == ["findings, 3 in all", "clients, 123 known", "budgets", "entries", "denied", "tunnels, 250 in all"]
    for what in ("exeat 0.1.0", "READY", "audit ok", "running 1d 2h", "policy 7", "enforce", "expires in 28d", "sha256 3c5f9a1b2c3d", "signed by 0011223344556677 8899aabbccddeeff",
                 "tunnels 5,000", "findings 3"):
        assert what in head, what
    heading, *clients = parts[1].split("\n")[1:]
    assert len(clients) == 16 and clients[0].startswith("training/10.42.0.1 ")
    edges = [[m.end() for m in re.finditer(r"\S+(?: \S+)*", row)][1:] for row in (heading, *clients)]
    assert all(row == edges[0] for row in edges), "numbers end where their heading does"
    assert not re.search(r"^training/\S+ +- ", parts[1], re.M), "rates are of two looks"
    assert len(parts[-1].rstrip("\n").split("\n")) == 2 + 100


def test_a_view_and_an_order_may_be_asked_for():
    with FakeAdmin(status(clients=[client("a", 10, denied=5), client("b", 20, denied=3), client("c", 30, denied=4)], entries=[entry("x")])) as admin:
        def order(*options):
            return re.findall(r"^([abc]) ", page(admin, "--view", "clients", *options), re.M)
        assert order() == ["a", "b", "c"] and order("--sort", "uploaded") == ["c", "b", "a"] and order("--sort", "denied") == ["a", "c", "b"]
        assert order("--sort", "client") == ["a", "b", "c"]
        only = page(admin, "--view", "entries")
        assert "ENTRY" in only and "CLIENT" not in only and "READY" in only
        assert re.findall(r"^([abc]) ", page(admin, "--sort", "denied"), re.M) == ["a", "c", "b"], "each part that has such a column"


def test_on_a_dumb_terminal_and_with_once_it_is_a_page_too():
    with FakeAdmin(status(clients=[client("somebody", 10)])) as admin:
        for options, environment in (((), {"TERM": "dumb"}), (("--once",), {"TERM": "xterm"}), ((), {"TERM": "no-such-terminal"})):
            ours, theirs = pty.openpty()
            done = subprocess.run([BINARY, "top", "--admin", admin.url, *options], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, timeout=seconds(30), check=False,
                                  env=dict(LOCALE, **environment))
            os.close(theirs)
            said = all_of(ours)
            assert done.returncode == 0 and "somebody" in said and "\x1b" not in said, (environment, said, done.stderr)


def test_where_the_locale_has_no_utf8_all_is_ascii():
    with FakeAdmin(status(warnings=["Zoë's list"])) as admin:
        assert "Zoë's list" in page(admin)
        done = run("top", "--admin", admin.url, env=dict(os.environ, LC_ALL="C"))
        assert "Zo\\u00eb's list" in done.stdout and done.stdout.isascii()


def test_who_closes_the_pipe_ends_it_quietly_and_a_full_disk_does_not():
    with FakeAdmin(busy(), busy_tunnels()) as admin:
        reader, writer = os.pipe()
        process = subprocess.Popen([BINARY, "top", "--admin", admin.url], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        os.close(reader)
        said = process.communicate(timeout=seconds(30))[1]
        assert process.returncode == 0 and said == b""
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BINARY, "top", "--admin", admin.url], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, timeout=seconds(30), check=False)
        assert done.returncode == 1 and b"No space left" in done.stderr


# ---- what may be wrong ----

@pytest.mark.parametrize("options, told", [
    (["--admin", "https://127.0.0.1:1"], "http://"), (["--admin", "http://exeat.test:9464"], "localhost"), (["--admin", "127.0.0.1:9464"], "http://"),
    (["--interval", "0"], "1s to 60s"), (["--interval", "999ms"], "1s to 60s"), (["--interval", "61s"], "1s to 60s"), (["--interval", "soon"], "1s to 60s"),
    (["--view", "everything"], "overview"), (["--sort", "colour"], "up/s"), (["--view", "budgets", "--sort", "age"], "share"), (["more"], "more"),
], ids=" ".join)
def test_a_wrong_question_is_wrong_usage(options, told):
    done = run("top", *options)
    assert done.returncode == 2 and told in done.stderr + done.stdout, done.stderr


@pytest.mark.parametrize("interval", ["1", "1s", "60", "60s", "1m"])
def test_the_least_and_the_longest_interval_are_taken(interval):
    with FakeAdmin() as admin:
        page(admin, "--interval", interval)


def test_where_nobody_listens_it_says_so_and_what_to_look_at():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert failed(f"http://127.0.0.1:{port}") == f"exeat top: cannot reach http://127.0.0.1:{port}: connection refused; is exeat running, and is [admin] address that?\n"
    assert "localhost" in failed(f"http://localhost:{port}/")


def test_localhost_is_either_loopback_address():
    with FakeAdmin(status(clients=[client("somebody")])) as admin:
        assert "somebody" in run("top", "--admin", f"http://localhost:{admin.port}").stdout
        assert admin.asked


@pytest.mark.parametrize("said, told", [
    (b"SSH-2.0-OpenSSH_9.2\r\n", "does not answer as HTTP"), (b"", "ends the connection within its answer"), (b"HTTP/1.1 200 OK\r\n", "ends the connection"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "ends the connection within its answer"), (b"HTTP/1.1 302 Found\r\nLocation: http://evil.test/\r\nContent-Length: 0\r\n\r\n", "answers 302"),
    (b"HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\nno\x1b[2J\x07!!", "no\\x1b[2J\\x07!"), (answer(b""), "it is no JSON"), (answer(b"{\"version\": \"0.1.0\"}"), "now is missing"),
    (answer(json.dumps(status()).encode()[:-2]), "it is no JSON"), (answer(b"[" * 100_000), "it is no JSON"), (answer(b"\xff\xfe"), "it is no JSON"),
    (answer(json.dumps(status(clients=[client("a"), {"client": 7}])).encode()), "clients[1].client is not text"),
    (answer(json.dumps(status(uptime_seconds=None)).encode()), "uptime_seconds is not a number"),
    (answer(json.dumps(status(totals={"requests_allowed": -1})).encode()), "totals.requests_allowed is not a count"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_no_answer_of_exeat_is_told(said, told):
    with Says(said) as server:
        assert told in failed(server.url)


def test_an_answer_may_have_four_mebibytes_and_no_byte_more():
    body = json.dumps(status(clients=[client("somebody")])).encode()
    for more, well in ((0, True), (1, False)):
        with Says(answer(body + b" " * (4 * MiB + more - len(body)))) as server:
            if well:
                assert "somebody" in run("top", "--admin", server.url, "--view", "clients").stdout
            else:
                assert "answers more than 4 MiB" in failed(server.url)
    with Says(b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * (4 * MiB + 1)) as endless:  # of no length that is told before
        assert "answers more than 4 MiB" in failed(endless.url)


def test_an_answers_head_is_bounded():
    body = json.dumps(status(clients=[client("somebody")])).encode()
    rest = f"\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    for size, well in ((8192, True), (8193, False)):
        fields = b"X: ".ljust(size - len(rest), b"x") + rest
        with Says(b"HTTP/1.1 200 OK\r\n" + fields + body) as server:
            if well:
                assert "somebody" in run("top", "--admin", server.url).stdout
            else:
                assert "header limit exceeded" in failed(server.url)


@pytest.mark.parametrize("slow", [{"close": False}, {"each": 0.5}], ids=["silent", "one byte at a time"])
def test_it_does_not_wait_for_ever(slow):
    with Says(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" if "each" in slow else b"", **slow) as server:
        assert "does not answer within 5 s" in failed(server.url)


def test_names_of_a_hostile_server_cannot_reach_the_terminal():
    said = status(version=HOSTILE, reasons=[HOSTILE], warnings=[HOSTILE, HOSTILE], ready=False, clients=[client(HOSTILE, 5)], entries=[entry(HOSTILE, HOSTILE)],
                  budgets=[budget(HOSTILE, HOSTILE, 0.5, HOSTILE)], denied=[{"reason": HOSTILE, "total": 1}],
                  anomalies={"total": 1, "recent": [finding(HOSTILE, HOSTILE, HOSTILE, action=HOSTILE, technique=HOSTILE, entry=HOSTILE)]})
    said["policy"] = dict(said["policy"], sha256=HOSTILE, mode=HOSTILE, approved_by=[HOSTILE])
    tunnels = [tunnel(1, HOSTILE, HOSTILE, id=HOSTILE, group=HOSTILE, purpose=HOSTILE, mode=HOSTILE, host=HOSTILE, address=HOSTILE)]
    with FakeAdmin(said, tunnels) as admin:
        text = page(admin)
    assert harmless(text) and "\\x1b[2J\\x1b]0;owned\\x07" in text and "\\u202ereversed" in text
    assert max(map(len, text.split("\n"))) < 20 * 260


def test_numbers_of_a_hostile_server_are_shown_as_they_are():
    huge = 2**64 - 1
    said = status(uptime_seconds=huge, clients=[client("a", huge, huge, huge, huge, 1e308, "9999-12-31T23:59:59Z")], budgets=[dict(budget("a", "b", 1), share=1e300)],
                  anomalies={"total": huge, "recent": [finding("d", "s", "c", value=-1e308, threshold=1e-300, at="0000-01-01T00:00:00Z")]})
    with FakeAdmin(said, [tunnel(1, upload=huge, age_seconds=1e300)]) as admin:
        text = page(admin)
    assert "18,446,744,073,709,551,615" in text and "16777216.0 TiB" in text and "1000d" not in text


def test_a_server_without_tunnels_is_told_beside_all_else():
    with FakeAdmin(status(clients=[client("somebody")])) as admin:
        admin.tunnels = None
        done = run("top", "--admin", admin.url)
    assert done.returncode == 1 and "somebody" in done.stdout and "/api/tunnels answers 404: no such page" in done.stdout


# ---- the real exeat ----

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "raw-echo"
hosts = ["echo.top.test"]
ports = [7]
protocol = "tcp"
purpose = "api"
upload = "20 MiB/1h"
"""


def test_what_a_real_exeat_says_is_shown(lab):
    host, _ = lab.place("echo.top.test")
    lab.origin(host, 7)
    with lab.exeat(ALLOWLIST) as exeat:
        if exeat.fetch("/api/tunnels")[0] == 404:
            pytest.skip("this exeat has no /api/tunnels")
        with open_tunnel(exeat, "echo.top.test:7") as s:
            for _ in range(5):
                s.sendall(MiB * b"x")
                assert len(read_exactly(s, MiB)) == MiB
            assert connect_reply(exeat, "evil.test:443").status == 403

            parts = (r"^exeat \S+  READY  audit ok", r"^policy 7  enforce  .*not signed$", r"tunnels 1\b", r"^raw-echo .* 5\.0 MiB .* api\b", r"^not_allowed .* 1  no rule",
                     r"^127\.0\.0\.1:\d+ +echo\.top\.test:7 .* raw-echo .* connect", r"^\[#######---\] +75% .* raw-echo .* 5\.0 MiB +20\.0 MiB",
                     r"^lab/127\.0\.0\.1 .* 5\.0 MiB ")
            last = [""]

            def missing():
                done = run("top", "--admin", f"http://127.0.0.1:{exeat.admin_port}")
                assert done.returncode == 0 and not done.stderr, done.stderr
                last[0] = done.stdout
                return [part for part in parts if not re.search(part, done.stdout, re.M)]
            try:
                wait_until(lambda: not missing())
            except AssertionError:
                raise AssertionError(f"{missing()} is not shown in:\n{last[0]}") from None
