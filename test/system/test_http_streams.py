"""What stands between two requests on one connection (law 10): an upstream connection serves the next request only when the one before was written whole
and its answer was read whole. The origins here answer early, and read on in the same stream as nginx does."""
import threading

import pytest
from harness.client import Reply, ask, http_request, read_to_end
from harness.http_origin import reply
from harness.wait import wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "plain"
hosts = ["early.test", "odd.test"]
ports = [80]
protocol = "http"
upload = "64 GiB/1h"
"""

SMALL = 8192  # octets that the origin's socket takes before it is read
ENDLESS = 64 << 20


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST, limits={"workers": 1}) as running:
        yield running


class EarlyOrigin:
    """Answers 404 when it is told to, before it has read anything of the body; then it reads the body's rest and the next request from behind it."""

    def __init__(self, lab):
        four, _ = lab.place("early.test", v6=False)
        self.answer, self.seen = threading.Event(), []
        self.origin = lab.origin(four, 80, self._serve, buffer=SMALL)

    def _serve(self, peer):
        held = b""
        while True:
            while b"\r\n\r\n" not in held.lstrip(b"\r\n"):
                if not (got := peer.recv(4096)):
                    return
                held += got
            head, _, held = held.lstrip(b"\r\n").partition(b"\r\n\r\n")
            line, *fields = head.split(b"\r\n")
            named = {n.strip().lower(): v.strip() for n, _, v in (f.partition(b":") for f in fields)}
            self.seen.append((line, named.get(b"host")))
            left = int(named.get(b"content-length", 0))
            if left > len(held):
                self.answer.wait(20)
            peer.send(reply(b"no\n", "404 Not Found"))
            while left > len(held):
                left -= len(held)
                if not (held := peer.recv(65536)):
                    return
            held = held[left:]

    def hosts(self):
        return {host for _, host in self.seen}


@pytest.fixture(scope="module")
def early(lab):
    return EarlyOrigin(lab)


@pytest.fixture(scope="module")
def odd(lab):
    four, _ = lab.place("odd.test", v6=False)
    return lab.http_origin(four, routes={})


def standing_still(value, looks=30):
    """The value once it has not changed for `looks` looks."""
    seen = []

    def same():
        seen.append(value())
        return len(seen) > looks and len(set(seen[-looks:])) == 1

    wait_until(same, 30, "nothing moves any more", step=0.01)
    return seen[-1]


def send_quietly(s, data):
    try:
        s.sendall(data)
    except OSError:
        pass  # the other side has closed, as it may


def uploaded(exeat):
    return exeat.metric("bytes_total", entry="plain", direction="upload")


def path_holds(exeat, early):
    """How much of a body leaves exeat while the origin does not read."""
    before = uploaded(exeat)
    early.answer.clear()
    with exeat.connect() as s:
        sender = threading.Thread(target=send_quietly, args=(s, http_request("POST", "http://early.test/", [f"Content-Length: {ENDLESS}"], b"x" * ENDLESS)))
        sender.start()
        wait_until(lambda: uploaded(exeat) > before, what="the body begins to leave")
        size = int(standing_still(lambda: uploaded(exeat)) - before)
        early.answer.set()
        assert Reply(s).status == 404
        s.close()
        sender.join()
    return size


@pytest.mark.parametrize("beyond", [1_000, 2_000, 4_000])
def test_the_next_head_does_not_land_in_a_body_that_was_not_written_whole(exeat, early, beyond):
    exeat.settled()
    size = path_holds(exeat, early) + beyond
    lines = exeat.settled()
    early.seen.clear()
    early.answer.clear()
    before = uploaded(exeat)
    with exeat.connect() as s:
        s.sendall(http_request("POST", "http://early.test/", [f"Content-Length: {size}"], b"x" * size))
        wait_until(lambda: uploaded(exeat) > before, what="the body begins to leave")
        standing_still(lambda: uploaded(exeat))
        early.answer.set()
        first = Reply(s)
        assert first.status == 404
        sled = b"\r\n" * 40_000 + b"GET /never-judged HTTP/1.1\r\nHost: evil.test\r\n\r\n"
        send_quietly(s, http_request("POST", "http://early.test/second", [f"Content-Length: {len(sled)}", "Connection: close"], sled))
        read_to_end(s)
    exeat.settled()
    wait_until(early.origin.at_rest, what="the origin has read all that came")
    assert early.hosts() == {b"early.test"}
    assert len(exeat.audit(lines, event__action="open")) == len(early.seen)


def test_the_rest_of_a_body_behind_an_early_answer_is_not_taken_for_a_request(exeat, odd):
    def early_answer(peer, reader, head):
        peer.send(reply(b"enough\n", "413 Content Too Large"))
        return True

    odd.routes["/enough"] = early_answer
    lines = exeat.settled()
    inside = http_request("GET", "http://odd.test/inside")
    with exeat.connect() as s:
        first = ask(s, http_request("POST", "http://odd.test/enough", ["Content-Length: 100000"], b"begun"))
        assert (first.status, first.field("connection")) == (413, "close")
        send_quietly(s, inside * 100)
        assert first.left + read_to_end(s) == b""
    exeat.settled()
    assert len(exeat.audit(lines, event__action="open")) == 1
    assert not [r for r in odd.requests if r.path == "/inside"]


BEHIND = {"a whole answer": reply(b"not asked for\n"), "one octet": b"H", "an interim answer": b"HTTP/1.1 103 Early Hints\r\n\r\n"}


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("method, answer", [("GET", reply(b"first\n")), ("HEAD", reply(b"first\n").partition(b"first")[0]), ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
                                            ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
                                            ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")])
def test_an_upstream_that_says_more_than_its_answer_is_not_used_again(exeat, odd, method, answer, behind):
    def more(peer, reader, head):
        peer.send(answer + BEHIND[behind])
        return True

    odd.clear()
    odd.routes["/more"] = more
    with exeat.connect() as s:
        first = ask(s, http_request(method, "http://odd.test/more"), method)
        assert first.status == int(answer[9:12]) and first.left == b""
        assert ask(s, http_request("GET", "http://odd.test/next")).body == b"hello from the origin\n"
    assert len(odd.peers) == 2


def test_a_server_of_http_1_0_is_not_used_again_even_if_it_offers(exeat, odd):
    def old(peer, reader, head):
        peer.send(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold")
        return True

    odd.clear()
    odd.routes["/old"] = old
    with exeat.connect() as s:
        assert ask(s, http_request("GET", "http://odd.test/old")).body == b"old"
        assert ask(s, http_request("GET", "http://odd.test/next")).status == 200
    assert len(odd.peers) == 2
