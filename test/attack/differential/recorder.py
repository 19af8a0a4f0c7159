"""An origin that takes every request literally, and what it was sent as values that can be compared."""
import collections
import re
import socket
import threading

Received = collections.namedtuple("Received", "method path host body whole")


def canonical_host(text):
    host = re.sub(r":80$", "", text.strip().lower())
    return host[:-1] if host.endswith(".") else host


def read_chunks(data):
    """(payload, octets taken, whole)"""
    payload, at = b"", 0
    while (end := data.find(b"\r\n", at)) >= 0:
        size = re.match(rb"[0-9a-fA-F]+", data[at:end])
        if not size:
            return payload, len(data), False
        size = int(size[0], 16)
        if size == 0:
            done = data.find(b"\r\n\r\n", end)
            return payload, len(data) if done < 0 else done + 4, done >= 0
        payload += data[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
        if at > len(data):
            break
    return payload, len(data), False


def read_request(data):
    """(Received, octets taken), or None where no head is whole."""
    head, mark, rest = data.partition(b"\r\n\r\n")
    if not mark:
        return None
    line, *fields = head.decode("latin-1").split("\r\n")
    method, _, target = line.rpartition(" ")[0].partition(" ")
    named = collections.defaultdict(list)
    for field in fields:
        name, _, value = field.partition(":")
        named[name.lower()].append(value.strip())
    absolute = re.fullmatch(r"http://([^/?#]*)(.*)", target, re.I)  # RFC 9112 section 3.2.2: then Host is ignored
    host, path = (absolute[1], absolute[2] or "/") if absolute else (",".join(named["host"]), target)
    framings = len(named["transfer-encoding"]) + len(named["content-length"])
    if framings > 1:
        body, taken, whole = f"ambiguous: {fields}".encode(), len(rest), False
    elif named["transfer-encoding"]:
        body, taken, whole = read_chunks(rest)
    else:
        length = int(named["content-length"][0]) if named["content-length"] else 0
        body, taken, whole = rest[:length], min(length, len(rest)), len(rest) >= length
    return Received(method, path, canonical_host(host), body, whole), len(head) + 4 + taken


class Recorder:
    """Answers each whole request with an empty 200."""

    def __init__(self, port):
        self.port, self.connections, self._lock = port, [], threading.Lock()
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.bind(("127.0.0.1", port))
        self._listening.listen(256)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            received = bytearray()
            with self._lock:
                self.connections.append(received)
            threading.Thread(target=self._serve, args=(sock, received), daemon=True).start()

    @staticmethod
    def _serve(sock, received):
        answered = at = 0
        with sock:
            try:
                while got := sock.recv(65536):
                    received += got
                    while (request := read_request(bytes(received[at:]))) and request[0].whole:
                        at += request[1]
                        answered += 1
                        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            except OSError:
                pass

    def requests(self):
        out = []
        with self._lock:
            seen = [bytes(c) for c in self.connections]
        for data in seen:
            while request := read_request(data):
                out.append(request[0])
                data = data[request[1] :]
        return out

    def take(self, number):
        """What came since the last time, without what belongs to an earlier try."""
        got = self.requests()
        with self._lock:
            self.connections.clear()
        others = re.compile(rf"/(?!{number}\b)\d{{4,}}\b")
        return [r for r in got if not others.search(r.path)]

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
