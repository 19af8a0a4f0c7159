"""Plain HTTP that comes by a CONNECT tunnel, as Node's fetch, undici, hpagent, httplib2 and `curl -p` send it: read and judged request by request, as
plain HTTP to the proxy is."""
import contextlib
import datetime
import os
import pathlib
import threading

import pytest
from harness import hello as tls
from harness.client import Reply, ask, command, connect_reply, connect_request, curl, gone, http_request, open_tls, open_tunnel, read_to_end, reset_on_close
from harness.exeat import run
from harness.http_origin import reply
from harness.oracle import refused
from harness.wait import wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8", "::1"]
[[allow]]
name = "plain"
hosts = ["one.in.test", "two.in.test", "*.wide.test"]
ports = [80, 8080]
protocol = "http"
names = 4 # a start that knows nothing of before has half of them
[[allow]]
name = "tight"
hosts = ["tight.in.test"]
protocol = "http"
upload = "2 KiB/1h" # half of it
[[allow]]
name = "sites"
hosts = ["tls.in.test"]
"""


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


@pytest.fixture(scope="module")
def one(lab):
    four, _ = lab.place("one.in.test", v6=False)
    return lab.http_origin(four, routes={"/101": lambda peer, reader, head: peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw") or True})


@pytest.fixture(scope="module")
def two(lab):
    four, _ = lab.place("two.in.test", v6=False)
    return lab.http_origin(four, routes={"*": reply(b"hello from two\n")})


@pytest.fixture(autouse=True)
def forget(one, two):
    one.clear()
    two.clear()


def inside(method="GET", path="/", host="one.in.test", fields=(), body=b""):
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *fields]).encode() + b"\r\n\r\n" + body


def test_curl_through_a_tunnel(exeat, one):
    done = curl("--proxytunnel", "--proxy", exeat.url, "http://one.in.test/a", "http://one.in.test/b")
    assert (done.returncode, done.stdout) == (0, b"hello from the origin\n" * 2), done.stderr
    assert [r.path for r in one.requests] == ["/a", "/b"] and len(one.peers) == 1
    assert one.requests[0].field("host") == "one.in.test" and one.requests[0].field("via") == "1.1 exeat"


def test_node_undici_through_a_tunnel(exeat, one, tmp_path):
    script = tmp_path / "fetch.js"
    script.write_text("""
const { fetch, ProxyAgent } = require('/usr/share/nodejs/undici');
fetch(process.argv[3], { dispatcher: new ProxyAgent(process.argv[2]) }).then(r => r.text()).then(t => process.stdout.write(t), e => { console.error(e); process.exit(1); });
""")
    done = command("node", script, exeat.url, "http://one.in.test/", env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
    assert (done.returncode, done.stdout) == (0, b"hello from the origin\n"), done.stderr


def test_explain_says_what_becomes_of_such_a_tunnel(exeat):
    said = run("explain", "--client", "127.0.0.1", "--allowlist", exeat.allowlist_path, "one.in.test:80")
    assert said.returncode == 0 and "read as plain HTTP, and each request is decided" in said.stdout, said.stdout + said.stderr


def test_nobody_is_looked_up_or_dialled_before_a_request_was_judged(lab, exeat, one):
    lines, mark = exeat.settled(), lab.dns.mark()
    lab.topology.forget_dialled()
    with open_tunnel(exeat, "one.in.test:80"):
        exeat.settled()
        assert not lab.dns.asked("one.in.test", mark) and not lab.topology.dialled() and not one.peers
    assert not [line for line in exeat.audit(lines) if "source.ip" in line]


def test_each_request_is_decided_counted_and_logged_by_itself(exeat, one):
    lines, before = exeat.settled(), exeat.metrics()
    with open_tunnel(exeat, "one.in.test:80") as s:
        for path in "abc":
            assert ask(s, inside(path=f"/{path}")).status == 200
    closes = wait_until(lambda: len(found := exeat.audit(lines, event__action="close")) == 3 and found)
    assert len(exeat.audit(lines, event__action="open")) == 3
    assert {(c["exeat.mode"], c["destination.domain"], c["destination.port"], c["rule.name"]) for c in closes} == {("http", "one.in.test", 80, "plain")}
    assert sum(c["source.bytes"] for c in closes) == one.peers[0].received_bytes and len(one.peers) == 1
    rose = lambda mode: exeat.metrics().of("exeat_requests_total", mode=mode) - before.of("exeat_requests_total", mode=mode)
    assert (rose("http"), rose("connect")) == (3, 0)


def test_requests_may_come_with_the_connect_and_in_a_pipeline(exeat, one):
    with exeat.connect() as s:
        s.sendall(connect_request("one.in.test:80") + inside(path="/a") + inside("POST", "/b", fields=["Content-Length: 4"], body=b"body") + inside(path="/c"))
        left = Reply(s, method="CONNECT").left
        for _ in range(3):
            got = Reply(s, left)
            assert got.status == 200
            left = got.left
    assert [(r.path, r.body) for r in one.requests] == [("/a", b""), ("/b", b"body"), ("/c", b"")]


def test_an_absolute_url_of_the_same_place_and_http_1_0_are_taken(exeat, one):
    with open_tunnel(exeat, "one.in.test:80") as s:
        assert ask(s, http_request("GET", "http://one.in.test/a")).status == 200
        s.sendall(b"GET /b HTTP/1.0\r\n\r\n")
        assert read_to_end(s).startswith(b"HTTP/1.1 200 ")
    assert [r.path for r in one.requests] == ["/a", "/b"]


def test_the_port_of_the_tunnel_is_the_port_of_the_request(lab, exeat, two):
    other = lab.http_origin(lab.dns.table["two.in.test"].addresses[0], port=8080, routes={"*": reply(b"on 8080\n")})
    with open_tunnel(exeat, "two.in.test:8080") as s:
        assert ask(s, inside(host="two.in.test:8080")).body == b"on 8080\n"
        assert other.requests[0].field("host") == "two.in.test:8080"
        assert ask(s, inside(host="two.in.test")).reason == "host_mismatch"


@pytest.mark.parametrize("what, sent, reason", [
    ("another Host", inside(host="two.in.test"), "host_mismatch"),
    ("another URL", http_request("GET", "http://two.in.test/"), "host_mismatch"),
    ("a URL beside another Host", b"GET http://one.in.test/ HTTP/1.1\r\nHost: two.in.test\r\n\r\n", "host_mismatch"),
    ("another port", inside(host="one.in.test:8080"), "host_mismatch"),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", "header"),
    ("two Hosts", inside(fields=["Host: two.in.test"]), "header"),
    ("CONNECT", connect_request("two.in.test:80"), "target_form"),
    ("CONNECT to the same place", connect_request("one.in.test:80"), "target_form"),
    ("https", http_request("GET", "https://one.in.test/"), "scheme"),
    ("two framings", inside("POST", fields=["Content-Length: 5", "Transfer-Encoding: chunked"], body=b"0\r\n\r\n"), "framing"),
    ("a websocket", inside(fields=["Upgrade: websocket", "Connection: Upgrade"]), "upgrade"),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "request_line"),
    ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", "request_line"),
])
def test_anything_else_inside_is_refused(lab, exeat, one, two, what, sent, reason):
    with refused(lab, exeat, reason) as told, open_tunnel(exeat, "one.in.test:80") as s:
        assert ask(s, sent).reason == reason and gone(s)
    assert (told[0]["destination.domain"], told[0]["destination.port"], told[0]["rule.name"]) == ("one.in.test", 80, "plain")
    assert told[0]["exeat.mode"] == ("connect" if what.startswith("CONNECT") else "http")


@pytest.mark.parametrize("sent, named", [(inside(host="two.in.test"), "two.in.test:80"), (http_request("GET", "http://two.in.test:8080/"), "two.in.test:8080")])
def test_another_place_inside_is_named_beside_that_of_the_tunnel(exeat, sent, named):
    with open_tunnel(exeat, "one.in.test:80") as s:
        assert f"it names {named}, and the tunnel is for one.in.test:80" in ask(s, sent).body.decode()


def test_tls_inside_gets_an_alert(lab, exeat, one):
    with refused(lab, exeat, "protocol_not_allowed") as told, open_tunnel(exeat, "one.in.test:80") as s:
        s.sendall(tls.genuine("one.in.test"))
        assert tls.alert_of(read_to_end(s)) == 49
    assert (told[0]["exeat.mode"], told[0]["destination.domain"]) == ("connect", "one.in.test")


def test_after_a_request_the_next_may_be_refused(lab, exeat, one, two):
    with open_tunnel(exeat, "one.in.test:80") as s:
        assert ask(s, inside()).status == 200
        assert ask(s, inside(host="two.in.test")).reason == "host_mismatch" and gone(s)
    assert not two.requests


def test_a_tunnel_for_tls_is_none_for_plain_http(lab, exeat):
    lab.place("tls.in.test", v6=False)
    with refused(lab, exeat, "port_not_allowed"):
        assert connect_reply(exeat, "tls.in.test:80").reason == "port_not_allowed"


def test_a_tunnel_that_is_not_allowed_is_refused_before_its_200(lab, exeat):
    with refused(lab, exeat, "not_allowed"):
        assert connect_reply(exeat, "evil.in.test:80").status == 403


def test_a_101_never_reaches_the_client(exeat, one):
    with open_tunnel(exeat, "one.in.test:80") as s:
        assert ask(s, inside(path="/101")).reason == "upstream_malformed"


def test_names_under_a_wildcard_are_counted_by_the_requests_inside(lab, exeat):
    """What costs a name leaves a line; a CONNECT by itself does neither."""
    for n in range(10):
        open_tunnel(exeat, f"silent{n}.wide.test:80").close()
    for n in range(2):
        lab.http_origin(lab.place(f"n{n}.wide.test", v6=False)[0])
        with open_tunnel(exeat, f"n{n}.wide.test:80") as s:
            assert ask(s, inside(host=f"n{n}.wide.test")).status == 200
    with refused(lab, exeat, "name_budget") as told, open_tunnel(exeat, "n2.wide.test:80") as s:
        assert ask(s, inside(host="n2.wide.test")).reason == "name_budget"
    assert told[0]["destination.domain"] == "n2.wide.test"


@pytest.mark.parametrize("name, reason", [("one.in.test", None), ("two.in.test", "sni_mismatch")])
def test_report_mode_lets_tls_into_a_tunnel_for_plain_http_and_checks_its_name(lab, one, name, reason):
    """protocol_not_allowed is what report mode lets pass."""
    host, _ = lab.place("one.in.test", v6=False)
    origin = lab.tls_origin("one.in.test", host=host, port=8080)
    until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with lab.exeat(f'mode = "report"\nreport_until = {until}\n' + ALLOWLIST) as exeat:
        if reason is None:
            with open_tls(exeat, lab.authority, "one.in.test:8080") as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: one.in.test\r\n\r\n")
                assert Reply(s).status == 200
            line = wait_until(lambda: exeat.audit(event__action="open"))[0]
            assert (line["event.reason"], line["exeat.mode"], line["tls.client.server_name"]) == ("protocol_not_allowed", "connect", name)
            return
        with open_tunnel(exeat, "one.in.test:8080") as s:
            s.sendall(tls.genuine(name))
            assert tls.alert_of(read_to_end(s)) == 112
        assert wait_until(lambda: exeat.audit(event__action="deny"))[0]["event.reason"] == reason
        assert not origin.requests


@pytest.mark.parametrize("how", ["report", "reload"])
def test_tls_behind_a_request_dials_anew_also_when_descriptors_are_short(lab, how):
    """The upstream connection of the request is none of the tunnel's: with it, and no descriptor left, dialling once read an empty list."""
    host, _ = lab.place("one.in.test", v6=False)
    lab.http_origin(host, port=8080)
    crowd, _ = lab.place("crowd.in.test", v6=False)

    def flood(s, *_):
        with contextlib.suppress(OSError):
            while True:
                s.send(bytes(65536))

    lab.origin(crowd, 7, flood)
    until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    listed = ALLOWLIST + '[[allow]]\nname = "crowd"\nhosts = ["crowd.in.test"]\nports = [7]\nprotocol = "tcp"\n'
    text = f'mode = "report"\nreport_until = {until}\n' + listed if how == "report" else listed
    with lab.exeat(text, before=["prlimit", "--nofile=40:40"], limits={"workers": 1}) as exeat:
        with open_tunnel(exeat, "crowd.in.test:7"), open_tunnel(exeat, "one.in.test:8080") as s:  # who does not read holds a pipe
            pipes = lambda: sum("pipe:" in os.readlink(fd) for fd in pathlib.Path(f"/proc/{exeat.pid}/fd").iterdir())  # noqa: E731
            wait_until(lambda: pipes() > 0)
            assert ask(s, inside(host="one.in.test:8080")).status == 200
            if how == "reload":
                exeat.reload(text.replace("serial = 7", "serial = 8").replace('protocol = "http"\nnames', 'protocol = "tls"\nnames'))
            s.sendall(tls.genuine("one.in.test"))
            wait_until(lambda: exeat.audit(event__action="open", exeat__mode="connect", destination__port=8080))
        assert exeat.process.poll() is None


def test_a_head_that_ends_with_a_reset_leaves_its_line(lab, exeat, one):
    with refused(lab, exeat, "request_line") as told:
        with open_tunnel(exeat, "one.in.test:80") as s:
            s.sendall(b"GET / HT")
            reset_on_close(s)
    assert told[0]["destination.domain"] == "one.in.test"


def test_the_budget_is_the_same_inside(lab, exeat):
    lab.http_origin(lab.place("tight.in.test", v6=False)[0])
    with open_tunnel(exeat, "tight.in.test:80") as s:
        s.sendall(inside("POST", host="tight.in.test", fields=["Content-Length: 100000"]))
        sender = threading.Thread(target=lambda: swallow(s, b"x" * 100_000))
        sender.start()
        read_to_end(s)
        sender.join()
    wait_until(lambda: exeat.metrics().of("exeat_bytes_total", entry="tight", direction="upload") == 1024)
    wait_until(lambda: exeat.metric("tunnels_closed_total", cause="budget") == 1)
    assert connect_reply(exeat, "tight.in.test:80").reason == "budget"


def swallow(s, data):
    try:
        s.sendall(data)
    except OSError:
        pass


def test_the_list_in_force_judges_the_next_request(exeat, one):
    with open_tunnel(exeat, "one.in.test:80") as s:
        assert ask(s, inside()).status == 200
        exeat.reload(ALLOWLIST.replace('"one.in.test", ', ""))
        assert ask(s, inside()).reason == "not_allowed" and gone(s)
    exeat.reload(ALLOWLIST)
