"""The world that oracle 5 looks at: origins that know which operation each connection belongs to, the names of the test DNS server, and the connects that a
capture of the link saw. An operation tags what it sends: the random of its hello, the first word of its stream, or the path of its request."""
import collections
import hashlib
import socket
import struct

from harness.capture import Capture
from harness.hello import record
from harness.http_origin import Reader, Request, reply

RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").digest()  # RFC 8446 section 4.1.3
RANDOM_AT = slice(11, 43)  # of a record that holds a hello
DOMAIN = "attr.test"
TUNNELS = {"tls": 443, "retry": 443, "raw": 7, "spent": 9, "flips": 13}
PLAIN = ["plain0", "plain1"]


def server_hello(random):
    extensions = struct.pack("!HHH", 43, 2, 0x0304)
    body = b"\x03\x03" + random + b"\0\x13\x01\0" + struct.pack("!H", len(extensions)) + extensions
    return record(b"\x02" + struct.pack("!I", len(body))[1:] + body)


SERVER_HELLO, RETRY = server_hello(bytes(range(32))), server_hello(RETRY_RANDOM)


def take(peer):
    got = peer.recv()
    peer.received.clear()  # counted, not kept
    return got


def work(peer, held=b"", tagged=False):
    """`TAG UPLOAD DOWNLOAD ENDING`, a line: takes so much, and sends so much, and ends so."""
    while b"\n" not in held:
        if not (got := take(peer)):
            return
        held += got
    line, _, held = held.partition(b"\n")
    tag, upload, download, ending = line.split()
    if not tagged:
        peer.tags.append(tag)
    left = int(upload) - len(held)
    while left > 0:
        if not (got := take(peer)):
            return
        left -= len(got)
    peer.send(bytes(int(download)))
    if ending == b"reset":
        peer.reset()
    while ending == b"wait" and take(peer):
        pass


def raw(peer):
    peer.tags = []
    work(peer)


def hello_then(answer):
    def serve(peer):
        peer.tags, held = [], b""
        while len(held) < 5 or len(held) < 5 + struct.unpack_from("!H", held, 3)[0]:
            if not (got := take(peer)):
                return
            held += got
            if not peer.tags and len(held) >= RANDOM_AT.stop:
                peer.tags.append(held[RANDOM_AT])
        peer.send(answer)
        work(peer, held[5 + struct.unpack_from("!H", held, 3)[0]:], tagged=True)
    return serve


def converse(peer):
    """/TAG/NUMBER/DOWNLOAD/HOW"""
    peer.tags = []
    reader = Reader(peer)
    while (head := reader.head()) is not None:
        peer.received.clear()
        request = Request(head, b"", b"")
        _, tag, number, download, how = request.path.split("/")
        peer.tags.append((tag.encode(), number, request.field("host")))
        if how == "early":
            peer.send(reply(b"no\n", "404 Not Found", ["Connection: close"]))
            return
        reader.body_of(head)
        answer = reply(bytes(int(download)), fields=["Connection: close"] if how == "close" else [])
        peer.send(answer[:-1] if how == "cut" else answer)
        if how != "ok":
            return


class Connects(Capture):
    """The SYNs that left for the world."""

    def __init__(self, path):
        super().__init__(path, "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn")

    def count(self):
        """(address, port) → connections begun; a SYN that was sent again has its number again."""
        flows = set()
        for frame in self._packets():
            if frame[12:14] != b"\x08\0":
                continue
            start = 14 + (frame[14] & 15) * 4
            source, port, number = struct.unpack_from("!HHI", frame, start)
            flows.add((source, number, socket.inet_ntoa(frame[30:34]), port))
        return collections.Counter((address, port) for _, _, address, port in flows)


class World:
    """Each host has an address of its own, and each client one for its names under the wildcards: an address tells whose it is."""

    def __init__(self, lab, clients):
        self.lab, self.origins, self.address, self._clients = lab, {}, {}, clients
        serve = {"tls": hello_then(SERVER_HELLO), "retry": hello_then(RETRY)}
        for kind, port in TUNNELS.items():
            self._place(kind, port, serve.get(kind, raw))
        for kind in PLAIN:
            self._place(kind, 80, converse)
        for n in range(clients):
            self._place(f"c{n}.wild", 443, serve["tls"])
        for kind in ("refuse", "hole"):
            self._place(kind)
        lab.topology.blackhole(self.address["hole"])
        self.address["inward"] = "10.9.9.9"  # in the line of its refusal
        lab.dns.set(f"inward.{DOMAIN}", self.address["inward"], ttl=1)
        lab.dns.set(f"mute.{DOMAIN}", behave="silent")
        self.asked_from = lab.dns.mark()

    def _place(self, kind, port=None, serve=None):
        self.address[kind], _ = self.lab.place(f"{kind}.{DOMAIN}", v6=False, ttl=1)
        if serve:
            self.origins[self.address[kind], port] = self.lab.origin(self.address[kind], port, serve)

    def new_name(self, client, n):
        """A name that nobody else asks for, at this client's address."""
        name = f"n{n}.c{client}.wild.{DOMAIN}"
        self.lab.dns.set(name, self.address[f"c{client}.wild"])
        return name

    def address_of(self, host):
        kind = host.removesuffix("." + DOMAIN)
        return self.address.get(kind.split(".", 1)[1] if kind.endswith(".wild") else kind)

    def questions(self):
        return self.lab.dns.queries[self.asked_from:]

    def peers(self):
        for place, origin in self.origins.items():
            for peer in origin.peers:
                yield place, peer

    def at_rest(self):
        return all(origin.at_rest() for origin in self.origins.values())

    def close(self):
        for origin in self.origins.values():
            origin.close()
