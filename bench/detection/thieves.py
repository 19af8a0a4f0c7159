"""Ways to steal, over real sockets. Each sends until it is stopped; how much arrived is not asked here. A thief is a client by its source address."""
import contextlib
import socket
import threading
import time

from harness.client import Reply, connect_request, http_request, take_head

PIECE = 512_000
BLOCK = bytes(262_144)
TUNNELS = 32
MOST = 1 << 30  # of one theft: what no budget here lets out


class Theft:
    """When the first byte was sent, and when the last tunnel had ended."""

    def __init__(self):
        self.began = self.ended = None

    def sends(self):
        if self.began is None:
            self.began = time.monotonic()

    def stopped(self):
        self.ended = time.monotonic()


def connection(exeat, source):
    return exeat.connect(source=source)


def tunnel(exeat, source, target):
    """None when it is refused."""
    s = connection(exeat, source)
    s.sendall(connect_request(target))
    if take_head(s).startswith(b"HTTP/1.1 200 "):
        return s
    s.close()
    return None


def push(s, theft, most=MOST, slowly=False):
    """False when it was cut. Slowly: 3 MB a second."""
    block = memoryview(BLOCK)[:32_768] if slowly else memoryview(BLOCK)
    try:
        theft.sends()
        for at in range(0, most, len(block)):
            s.sendall(block[:most - at])
            if slowly:
                time.sleep(0.01)
        return True
    except OSError:
        return False


def through_tunnels(exeat, sources, target, count, slowly=False):
    """All at once, `count` tunnels in all, each client as many."""
    theft = Theft()
    open_ones = [s for n in range(count) if (s := tunnel(exeat, sources[n % len(sources)], target)) is not None]
    threads = [threading.Thread(target=push, args=(s, theft), kwargs={"slowly": slowly}) for s in open_ones]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    theft.stopped()
    for s in open_ones:
        s.close()
    return theft


def in_pieces(exeat, sources, target):
    """A tunnel for each piece, until one is cut or refused."""
    theft = Theft()
    for _ in range(MOST // PIECE):
        s = tunnel(exeat, sources[0], target)
        if s is None:
            break
        with s:
            whole = push(s, theft, PIECE)
            s.settimeout(10)
            try:
                s.shutdown(socket.SHUT_WR)
                whole = s.recv(1) == b"" and whole  # the origin has it all, or exeat has cut it
            except OSError:
                whole = False
        if not whole:
            break
    theft.stopped()
    return theft


def by_requests(exeat, sources, target):
    """Plain HTTP, kept alive: a body for each request, until one is refused."""
    theft, body = Theft(), bytes(PIECE)
    request = http_request("POST", f"http://{target}/", [f"Content-Length: {PIECE}"])
    with connection(exeat, sources[0]) as s:
        for _ in range(MOST // PIECE):
            theft.sends()
            with contextlib.suppress(OSError):  # refused in the middle: the reply says so
                s.sendall(request + body)
            try:
                if Reply(s).status != 200:
                    break
            except (OSError, AssertionError):
                break  # it was cut
    theft.stopped()
    return theft
