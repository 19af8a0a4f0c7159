"""An HTTP/1.1 origin that remembers each request as it stood on the wire and answers by script."""
from .origin import Origin


class Request:
    def __init__(self, head, body, wire):
        self.head, self.body, self.wire = head, body, wire  # wire: the body with its chunk framing
        line, *fields = head.decode("latin-1").split("\r\n")
        self.method, self.path, self.version = line.split(" ", 2)
        self.fields = [(n.strip().lower(), v.strip()) for n, v in (f.split(":", 1) for f in fields if f)]

    def field(self, name):
        values = [v for n, v in self.fields if n == name]
        return values[0] if values else None


class Reader:
    """Requests out of a peer's bytes."""

    def __init__(self, peer):
        self.peer, self.held = peer, b""

    def _more(self):
        got = self.peer.recv()
        self.held += got
        return bool(got)

    def until(self, mark):
        while mark not in self.held:
            if not self._more():
                return None
        taken, _, self.held = self.held.partition(mark)
        return taken

    def exactly(self, n):
        while len(self.held) < n:
            if not self._more():
                raise ConnectionError("the request's body was cut short")
        taken, self.held = self.held[:n], self.held[n:]
        return taken

    def head(self):
        return self.until(b"\r\n\r\n")

    def body_of(self, head):
        probe = Request(head, b"", b"")
        if (probe.field("transfer-encoding") or "").lower() == "chunked":
            return self._chunked()
        body = self.exactly(int(probe.field("content-length") or 0))
        return body, body

    def _chunked(self):
        body, wire = b"", b""
        while True:
            line = self.until(b"\r\n")
            if line is None:
                raise ConnectionError("the request's body was cut short")
            size = int(line.split(b";")[0], 16)
            chunk = self.exactly(size + 2)
            wire += line + b"\r\n" + chunk
            if size == 0:
                return body, wire
            body += chunk[:-2]


def reply(body=b"hello from the origin\n", status="200 OK", fields=()):
    lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class HttpOrigin(Origin):
    """`routes`: path → bytes, or def route(peer, reader, head) that does all by itself and returns whether to go on.
    "*" is for every other path."""

    def __init__(self, namespace, routes=None, host="::", port=80, context=None):
        self.requests = []
        self.routes = {"*": reply(), **(routes or {})}
        super().__init__(namespace, self._converse, host, port, context)

    def _converse(self, peer):
        reader = Reader(peer)
        while (head := reader.head()) is not None:
            path = head.split(b" ", 2)[1].decode("latin-1").split("?")[0]
            route = self.routes.get(path, self.routes["*"])
            if callable(route):
                if not route(peer, reader, head):
                    return
                continue
            request = Request(head, *reader.body_of(head))
            self.requests.append(request)
            peer.send(route if request.method != "HEAD" else route.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
            if (request.field("connection") or "").lower() == "close":
                return

    def clear(self):
        super().clear()
        self.requests.clear()
