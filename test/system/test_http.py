"""Plain http:// requests: each one decided, framing kept strict both ways."""
import socket
import threading

import pytest
from harness.client import Reply, ask, ask_once, curl, http_request, read_to_end
from harness.http_origin import Request, reply
from harness.wait import wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8", "::1"]
[[allow]]
name = "plain"
hosts = ["one.test", "two.test", "six.test"]
ports = [80, 8080]
protocol = "http"
"""


def until_close(peer, reader, head):
    peer.send(b"HTTP/1.1 200 OK\r\n\r\nto the end")
    return False


def chunked(peer, reader, head):
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Trailer: t\r\n\r\n")
    return True


def continued(peer, reader, head):
    peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = reader.body_of(head)[0]
    peer.send(reply(b"got " + body))
    return True


def early_error(peer, reader, head):
    reader.exactly(1000)
    peer.send(reply(b"too much\n", "413 Content Too Large", ["Connection: close"]))
    return False


def bare(status):
    def route(peer, reader, head):
        peer.send(f"HTTP/1.1 {status}\r\nX-Bare: yes\r\n\r\n".encode())
        return True

    return route


def head_reply(peer, reader, head):
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
    return True


def raw(text):
    def route(peer, reader, head):
        peer.send(text)
        return True

    return route


MALFORMED = {
    "/both": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "/two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "/no-number": b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
    "/fake-101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nanything",
    "/garbage": b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
    "/folded": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "/nul": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
}


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


@pytest.fixture(scope="module")
def one(lab):
    four, _ = lab.place("one.test", v6=False)
    routes = {"/close": until_close, "/chunked": chunked, "/continue": continued, "/early": early_error, "/204": bare("204 No Content"),
              "/304": bare("304 Not Modified"), "/head": head_reply, "/redirect": reply(b"", "302 Found", ["Location: http://evil.test/"]),
              **{path: raw(text) for path, text in MALFORMED.items()}}
    return lab.http_origin(four, routes=routes)


@pytest.fixture(scope="module")
def two(lab):
    four, _ = lab.place("two.test", v6=False)
    return lab.http_origin(four, routes={"*": reply(b"hello from two\n")})


@pytest.fixture(autouse=True)
def forget(one, two):
    one.clear()
    two.clear()


def test_curl_gets_a_page(exeat, one):
    done = curl("--proxy", exeat.url, "http://one.test/")
    assert (done.returncode, done.stdout) == (0, b"hello from the origin\n"), done.stderr
    assert one.requests[0].path == "/" and one.requests[0].field("host") == "one.test"


def test_ipv6_origins_and_clients_are_served(lab, exeat):
    _, six = lab.place("six.test", v4=False)
    lab.http_origin(six, routes={"*": reply(b"hello over IPv6\n")})
    assert ask_once(exeat, http_request("GET", "http://six.test/"), host="::1").body == b"hello over IPv6\n"


def test_on_one_connection_each_request_is_decided_and_goes_to_its_own_host(lab, exeat, one, two):
    lab.dns.set("evil.test", "93.184.216.200")
    lab.topology.forget_dialled()
    mark = lab.dns.mark()
    with exeat.connect() as s:
        assert ask(s, http_request("GET", "http://one.test/a")).body == b"hello from the origin\n"
        assert ask(s, http_request("GET", "http://two.test/b")).body == b"hello from two\n"
        assert ask(s, http_request("GET", "http://one.test/c")).body == b"hello from the origin\n"
        refused = ask(s, http_request("GET", "http://evil.test/d"))
        assert (refused.status, refused.reason, refused.field("connection")) == (403, "not_allowed", "close")
        assert read_to_end(s) == b""
    assert [r.path for r in one.requests] == ["/a", "/c"] and [r.path for r in two.requests] == ["/b"]
    assert not lab.dns.asked("evil.test", mark)
    assert "93.184.216.200" not in {a for a, _ in lab.topology.dialled()}


def test_requests_to_one_host_share_an_upstream_connection(exeat, one):
    with exeat.connect() as s:
        for path in "abc":
            assert ask(s, http_request("GET", f"http://one.test/{path}")).status == 200
    assert len(one.peers) == 1 and len(one.requests) == 3


def test_pipelined_requests_are_answered_in_order_each_by_its_host(exeat, one, two):
    with exeat.connect() as s:
        first = ask(s, http_request("GET", "http://one.test/a") + http_request("GET", "http://two.test/b") + http_request("GET", "http://one.test/c"))
        second = Reply(s, first.left)
        third = Reply(s, second.left)
    assert [r.body for r in (first, second, third)] == [b"hello from the origin\n", b"hello from two\n", b"hello from the origin\n"]


def test_a_thousand_pipelined_requests_are_all_answered(exeat, one):
    """E16."""
    with exeat.connect() as s:
        sender = threading.Thread(target=s.sendall, args=(b"".join(http_request("GET", f"http://one.test/n{n}") for n in range(1000)),))
        sender.start()
        left = b""
        for _ in range(1000):
            got = Reply(s, left)
            assert got.status == 200
            left = got.left
        sender.join()
    assert [r.path for r in one.requests] == [f"/n{n}" for n in range(1000)]


def test_hop_by_hop_fields_stop_here_and_host_is_made_anew(exeat, one):
    fields = ["Proxy-Connection: keep-alive", "Proxy-Authorization: Basic c2VjcmV0", "Connection: X-Mine", "X-Mine: a", "Keep-Alive: 5", "X-Yours: b"]
    assert ask_once(exeat, http_request("GET", "http://one.test:80/", fields)).status == 200
    names = {n for n, _ in one.requests[0].fields}
    assert "x-yours" in names and not names & {"proxy-connection", "proxy-authorization", "x-mine", "keep-alive"}
    assert one.requests[0].field("host") in ("one.test", "one.test:80")


def test_a_body_with_a_length_arrives_whole(exeat, one):
    body = bytes(range(256)) * 1000
    assert ask_once(exeat, http_request("POST", "http://one.test/", [f"Content-Length: {len(body)}"], body)).status == 200
    assert one.requests[0].body == body


def test_a_chunked_body_arrives_whole_and_without_extensions(exeat, one):
    body = b"5;hidden=bytes\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: x\r\n\r\n"
    with exeat.connect() as s:
        assert ask(s, http_request("POST", "http://one.test/", ["Transfer-Encoding: Chunked"], body)).status == 200
        assert ask(s, http_request("GET", "http://one.test/next")).status == 200
    assert one.requests[0].body == b"hello world" and b"hidden" not in one.requests[0].wire
    assert one.requests[1].path == "/next"


def test_one_byte_chunks_in_one_byte_segments_arrive_whole(exeat, one):
    with exeat.connect() as s:
        s.sendall(http_request("POST", "http://one.test/", ["Transfer-Encoding: chunked"]))
        for byte in b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n":
            s.send(bytes([byte]))
        assert Reply(s).status == 200
    assert one.requests[0].body == b"ab"


def test_expect_100_continue_is_passed_both_ways(exeat, one):
    with exeat.connect() as s:
        s.sendall(http_request("POST", "http://one.test/continue", ["Content-Length: 4", "Expect: 100-continue"]))
        interim = b""
        while b"\r\n\r\n" not in interim:
            interim += s.recv(4096)
        assert interim.startswith(b"HTTP/1.1 100 ")
        assert ask(s, b"body").body == b"got body"


def test_curl_posts_with_expect_and_a_large_body(exeat, one, tmp_path):
    file = tmp_path / "body"
    file.write_bytes(b"x" * 3_000_000)
    done = curl("--proxy", exeat.url, "--data-binary", f"@{file}", "-H", "Expect: 100-continue", "http://one.test/")
    assert (done.returncode, done.stdout) == (0, b"hello from the origin\n"), done.stderr
    assert len(one.requests[0].body) == 3_000_000


@pytest.mark.parametrize("path, status", [("/204", 204), ("/304", 304)])
def test_a_response_without_a_body_keeps_the_connection(exeat, one, path, status):
    with exeat.connect() as s:
        bare_reply = ask(s, http_request("GET", f"http://one.test{path}"))
        assert (bare_reply.status, bare_reply.field("x-bare")) == (status, "yes")
        assert ask(s, http_request("GET", "http://one.test/next")).body == b"hello from the origin\n"


def test_head_has_a_length_and_no_body(exeat, one):
    with exeat.connect() as s:
        head = ask(s, http_request("HEAD", "http://one.test/head"), "HEAD")
        assert (head.status, head.field("content-length"), head.left) == (200, "12345", b"")
        assert ask(s, http_request("GET", "http://one.test/next")).body == b"hello from the origin\n"


def test_a_response_until_close_ends_with_the_connection_or_in_chunks(exeat, one):
    assert ask_once(exeat, http_request("GET", "http://one.test/close")).body == b"to the end"


def test_a_chunked_response_arrives_whole_and_the_connection_goes_on(exeat, one):
    with exeat.connect() as s:
        assert ask(s, http_request("GET", "http://one.test/chunked")).body == b"abcdefg"
        assert ask(s, http_request("GET", "http://one.test/next")).body == b"hello from the origin\n"


def test_an_early_error_reaches_a_client_that_still_uploads(exeat, one):
    with exeat.connect() as s:
        s.sendall(http_request("POST", "http://one.test/early", ["Content-Length: 50000000"]))
        s.sendall(b"x" * 200_000)
        assert Reply(s).status == 413


def test_http_1_0_clients_get_a_connection_that_closes(exeat, one):
    with exeat.connect() as s:
        s.sendall(b"GET http://one.test/ HTTP/1.0\r\n\r\n")
        data = read_to_end(s)
    assert data.startswith(b"HTTP/1.1 200 ") and data.endswith(b"hello from the origin\n")


def test_a_half_closed_client_still_gets_its_answer(exeat, one):
    with exeat.connect() as s:
        s.sendall(http_request("GET", "http://one.test/"))
        s.shutdown(socket.SHUT_WR)
        assert Reply(s).body == b"hello from the origin\n"


def test_redirects_are_not_followed(lab, exeat, one):
    mark = lab.dns.mark()
    assert ask_once(exeat, http_request("GET", "http://one.test/redirect")).field("location") == "http://evil.test/"
    assert not lab.dns.asked("evil.test", mark)


@pytest.mark.parametrize("path", MALFORMED)
def test_a_malformed_response_is_not_passed_on(exeat, one, path):
    before = exeat.metrics()
    got = ask_once(exeat, http_request("GET", f"http://one.test{path}"))
    assert (got.status, got.reason) == (502, "upstream_malformed")
    wait_until(lambda: exeat.metrics().of("exeat_denied_total", reason="upstream_malformed") == before.of("exeat_denied_total", reason="upstream_malformed") + 1)


def test_each_request_is_counted_and_logged_by_itself(exeat, one, two):
    lines = exeat.settled()
    before = exeat.metrics()
    with exeat.connect() as s:
        ask(s, http_request("GET", "http://one.test/"))
        ask(s, http_request("GET", "http://two.test/"))
    rose = lambda: exeat.metrics().of("exeat_requests_total", mode="http", decision="allowed") - before.of("exeat_requests_total", mode="http", decision="allowed")
    wait_until(lambda: rose() == 2)
    closes = wait_until(lambda: len(found := exeat.audit(lines, event__action="close")) == 2 and found)
    assert [c["destination.domain"] for c in closes] == ["one.test", "two.test"]
    wait_until(lambda: (closes[0]["source.bytes"], closes[0]["destination.bytes"]) == (one.peers[0].received_bytes, one.peers[0].sent_bytes))


def test_the_path_and_query_arrive_as_they_were_written(exeat, one):
    assert ask_once(exeat, http_request("GET", "http://one.test/a%2fb/../c?d=e&f=%00")).status == 200
    assert isinstance(one.requests[0], Request) and one.requests[0].path == "/a%2fb/../c?d=e&f=%00"
