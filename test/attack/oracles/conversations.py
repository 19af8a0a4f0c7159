"""What clients say, drawn by a seed: bodies that fill the path, bodies that hold requests to a host that nobody may reach, early answers, pipelines, pauses,
closes in the middle."""
import socket
import threading
import time

from harness.client import reset_on_close

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: evil.test\r\n\r\n"
ROUTES = ["/ok", "/ok", "/early", "/early", "/chunked", "/interim", "/more", "/close", "/cut"]


class Conversation:
    """One client connection. `path_holds`: octets of a body that leave exeat while nobody reads them."""

    def __init__(self, random, hosts, path_holds, number):
        self.random, self.hosts, self.path_holds, self.number = random, hosts, path_holds, number
        self.requests = 0
        self._got, self._closed, self._slow = 0, False, False

    def body(self, size):
        kind = self.random.randrange(3)
        if kind == 0:
            return b"x" * size
        if kind == 1:
            return (b"\r\n" * (size // 2) + SMUGGLED)
        return SMUGGLED * (size // len(SMUGGLED) + 1)

    def request(self, host, route=None, body=None):
        r = self.random
        self.requests += 1
        route = route or r.choice(ROUTES)
        method = "POST" if body is not None else r.choice(["GET", "GET", "HEAD", "POST", "PUT"])
        if body is None and method in ("POST", "PUT"):
            body = self.body(r.choice([0, 10, 3_000, 60_000, self.path_holds + r.randrange(-2_000, 60_000)]))
        fields = []
        if body is not None:
            if r.random() < 0.3:
                fields.append("Transfer-Encoding: chunked")
                step = r.choice([100, 5_000, 70_000])
                pieces = [body[i:i + step] for i in range(0, len(body), step)]
                body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
            else:
                fields.append(f"Content-Length: {len(body)}")
            if r.random() < 0.1:
                fields.append("Expect: 100-continue")
        line = f"{method} http://{host}{route}/{self.number}-{self.requests} HTTP/1.1"
        return "\r\n".join([line, f"Host: {host}", *fields]).encode() + b"\r\n\r\n" + (body or b"")

    def trap(self):
        """An early answer while a little of the body is unsent, and a request that would be eaten by what is owed."""
        host = self.random.choice(self.hosts)
        first = self._plain(host, "/early", b"x" * (self.path_holds + self.random.randrange(0, 6_000)))
        second = self._plain(host, "/ok", b"\r\n" * 60_000 + SMUGGLED)
        return [first, second]

    def _plain(self, host, route, body):
        self.requests += 1
        return f"POST http://{host}{route}/{self.number}-{self.requests} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    def _read(self, s):
        try:
            while got := s.recv(65536):
                self._got += len(got)
                if self._slow:
                    time.sleep(0.002)
        except OSError:
            pass
        self._closed = True

    def _await_answer(self, before):
        end = time.monotonic() + 1.5
        while self._got == before and not self._closed and time.monotonic() < end:
            time.sleep(0.003)

    def _send(self, s, data):
        r = self.random
        if r.random() < 0.7:
            s.sendall(data)
            return
        for i in range(0, len(data), step := max(1, len(data) // r.choice([2, 5, 9]))):
            s.sendall(data[i:i + step])
            time.sleep(r.choice([0, 0.001, 0.01]))

    def hold(self, exeat):
        r = self.random
        trapped = r.random() < 0.3
        requests = self.trap() if trapped else [self.request(r.choice(self.hosts)) for _ in range(r.randrange(1, 5))]
        self._slow = r.random() < 0.2
        pipelined = not trapped and r.random() < 0.4
        s = exeat.connect()
        if r.random() < 0.3:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        reader = threading.Thread(target=self._read, args=(s,), daemon=True)
        reader.start()
        try:
            if pipelined:
                requests = [b"".join(requests)]
            for request in requests:
                before = self._got
                if not trapped and r.random() < 0.15:
                    self._send(s, request[:r.randrange(len(request))])
                    if r.random() < 0.5:
                        reset_on_close(s)
                        return
                    s.shutdown(socket.SHUT_WR)
                    break
                self._send(s, request)
                self._await_answer(before)
        except OSError:
            pass  # exeat has closed, as it does behind an early answer
        finally:
            try:
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            reader.join(2)
            s.close()
