"""Clients of the proxy that say exactly what a test wants said."""
import json
import socket
import ssl
import struct
import subprocess

from .wait import seconds


def read_exactly(s, n):
    out = bytearray()
    while len(out) < n:
        got = s.recv(min(262144, n - len(out)))
        if not got:
            break
        out += got
    return bytes(out)


def read_to_end(s):
    """All that still comes. A reset counts as an end: what came before it is what was delivered."""
    out = bytearray()
    try:
        while got := s.recv(262144):
            out += got
    except ConnectionResetError:
        pass
    return bytes(out)


def gone(s, within=30):
    """That the other side ends the connection in time, orderly or not, and says nothing more."""
    s.settimeout(seconds(within))
    try:
        return s.recv(1) == b""
    except ssl.SSLError:
        return True
    except ConnectionError:
        return True


def reset_on_close(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Reply:
    """One HTTP response off a socket. Interim (1xx) responses are kept in `interim`. `left` is what came behind it."""

    def __init__(self, s, held=b"", method="GET"):
        self.interim = []
        self._s, self.left = s, held
        while True:
            head = self._until(b"\r\n\r\n")
            self.wire_head = head
            line, *fields = head.decode("latin-1").split("\r\n")
            self.version, status, *self.phrase = line.split(" ", 2)
            self.status = int(status)
            self.fields = [(n.lower(), v.strip()) for n, _, v in (f.partition(":") for f in fields)]
            if self.status >= 200 or self.status == 101:
                break
            self.interim.append(self.status)
        self.body = b"" if method in ("HEAD", "CONNECT") and self.status < 300 or method == "HEAD" else self._body()

    def _more(self):
        got = self._s.recv(262144)
        self.left += got
        return bool(got)

    def _until(self, mark):
        while mark not in self.left:
            assert self._more(), f"the connection ended within a response: {self.left!r}"
        taken, _, self.left = self.left.partition(mark)
        return taken

    def _exactly(self, n):
        while len(self.left) < n:
            assert self._more(), "the connection ended within a body"
        taken, self.left = self.left[:n], self.left[n:]
        return taken

    def _body(self):
        if self.status in (204, 304):
            return b""
        if (self.field("transfer-encoding") or "").lower() == "chunked":
            out = b""
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                out += self._exactly(size + 2)[:-2]
            while self._until(b"\r\n"):
                pass  # trailers
            return out
        length = self.field("content-length")
        if length is not None:
            return self._exactly(int(length))
        while self._more():
            pass
        taken, self.left = self.left, b""
        return taken

    def field(self, name):
        values = [v for n, v in self.fields if n == name]
        assert len(values) <= 1, f"{name} more than once"
        return values[0] if values else None

    @property
    def reason(self):
        return self.field("x-exeat-reason")

    def json(self):
        return json.loads(self.body)


def ask(s, request, method="GET"):
    s.sendall(request)
    return Reply(s, method=method)


def ask_once(exeat, request, host="127.0.0.1", method="GET"):
    with exeat.connect(host) as s:
        return ask(s, request, method)


def connect_request(target, fields=()):
    return "\r\n".join([f"CONNECT {target} HTTP/1.1", f"Host: {target}", *fields]).encode("latin-1") + b"\r\n\r\n"


def connect_reply(exeat, target, fields=(), host="127.0.0.1", source=None):
    with exeat.connect(host, source=source) as s:
        return ask(s, connect_request(target, fields), "CONNECT")


def take_head(s):
    """The reply's head and not a byte more: an origin that speaks first may be right behind it."""
    while True:
        seen = s.recv(8192, socket.MSG_PEEK)
        assert seen, "the connection ended within a response"
        end = seen.find(b"\r\n\r\n")
        if end >= 0:
            return read_exactly(s, end + 4)


def open_tunnel(exeat, target, host="127.0.0.1", timeout=30, source=None):
    """A socket that is the far end of CONNECT."""
    s = exeat.connect(host, timeout=timeout, source=source)
    try:
        s.sendall(connect_request(target))
        head = take_head(s)
        assert head.startswith(b"HTTP/1.1 200 "), Reply(s, head).body
    except BaseException:
        s.close()
        raise
    return s


def alive(tunnel):
    """Whether what is sent through it to an echo comes back."""
    tunnel.sendall(b"ping")
    return read_exactly(tunnel, 4) == b"ping"


def reaches(exeat, target):
    """Whether a tunnel to an echo opens, and carries."""
    with open_tunnel(exeat, target) as s:
        return alive(s)


def open_tls(exeat, authority, target, name=None, alpn=("http/1.1",), host="127.0.0.1"):
    s = open_tunnel(exeat, target, host)
    try:
        return authority.client_context(alpn).wrap_socket(s, server_hostname=name or target.rsplit(":", 1)[0])
    except BaseException:
        s.close()
        raise


def http_request(method, url, fields=(), body=b"", version="HTTP/1.1"):
    """Absolute-form, with the Host that belongs to it."""
    host = url.split("//", 1)[1].split("/", 1)[0]
    return "\r\n".join([f"{method} {url} {version}", f"Host: {host}", *fields]).encode("latin-1") + b"\r\n\r\n" + body


def command(*argv, within=60, **options):
    return subprocess.run(list(map(str, argv)), capture_output=True, timeout=seconds(within), check=False, **options)


def curl(*argv, within=60, namespace=None):
    line = ["curl", "--silent", "--show-error", "--max-time", str(int(seconds(40))), *map(str, argv)]
    if namespace is None:
        return command(*line, within=within)
    return namespace.command(*line, check=False, text=False, timeout=seconds(within))
