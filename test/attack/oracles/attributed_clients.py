"""What the clients of oracle 5 do, drawn by a seed, and the book that each keeps of it: whom an operation asked for, what it sent and got, and whether it
knows that nothing of it was lost on the way."""
import functools
import random
import threading

from attributed_world import DOMAIN, PLAIN, RANDOM_AT, SERVER_HELLO, TUNNELS
from harness import hello as tls
from harness.client import Reply, connect_request, http_request, read_exactly, read_to_end, reset_on_close, take_head

NOISY = {"tunnel": 8, "by_name": 3, "plain": 3, "denied": 3, "unresolved": 2, "unreached": 1, "half_head": 1}
QUIET = {"orderly": 6, "orderly_plain": 3, "orderly_by_name": 2}


@functools.cache
def _template():
    return tls.genuine("placeholder.test")


def hello(name, r):
    """As OpenSSL says it, with a random of its own; made without a context each."""
    h = tls.Hello(_template())
    h.extensions = [(kind, body) for kind, body in h.extensions if kind != tls.SERVER_NAME]
    if name:
        h.with_extension(tls.SERVER_NAME, tls.server_name(name.encode()), first=True)
    record = tls.record(h.message())
    return record[:RANDOM_AT.start] + r.randbytes(32) + record[RANDOM_AT.stop:]


class Operation:
    """One client connection. `asked`: whom for, one after the other; `answers`: (host, what exeat said): None for a yes, or a reason."""

    def __init__(self, client, kind, tag):
        self.client, self.kind, self.tag = client, kind, tag
        self.port = None
        self.asked, self.answers, self.tags = [], [], [tag.encode()]
        self.attempts = 0  # requests begun, whole or not
        self.sent = self.got = 0  # in a tunnel
        self.pushed = 0  # at most so many octets went out by it
        self.exact = False  # all that was sent has arrived, and all that came was read
        self.misnamed = False  # it did on purpose what name_mismatch finds

    @property
    def key(self):
        return self.client, self.port

    def asks(self, host):
        self.attempts += 1
        self.asked.append(host)

    def sends(self, octets):
        self.sent += len(octets)
        self.pushed += len(octets)

    def answered(self, reason=None):
        self.answers.append((self.asked[-1] if self.asked else None, reason))


class Client:
    """One source address, with `threads` connections at a time. `kinds`: what it does, and how often each."""

    def __init__(self, exeat, world, number, seed, kinds, sni_port, threads=2):
        self.exeat, self.world, self.number, self.sni_port = exeat, world, number, sni_port
        self.source = f"127.0.1.{number + 1}"
        self.kinds, self.operations, self.broken = kinds, [], []
        self._lock, self._names = threading.Lock(), 0
        self.threads = [threading.Thread(target=self._run, args=(random.Random(f"{seed}/{number}/{n}"),), daemon=True) for n in range(threads)]
        self.until = None  # a call: whether to go on

    def _run(self, r):
        while self.until():
            kind = r.choices(list(self.kinds), list(self.kinds.values()))[0]
            with self._lock:
                op = Operation(self.source, kind, f"c{self.number}-{len(self.operations)}")
                self.operations.append(op)
            try:
                getattr(self, kind)(op, r)
            except TimeoutError as e:
                self.broken.append((op.key, kind, op.asked, e))
            except (OSError, AssertionError):
                op.exact = False  # exeat or the origin has ended it

    def _dial(self, op, port=None):
        s = self.exeat.connect(port=port, source=self.source)
        op.port = s.getsockname()[1]
        return s

    def _new_name(self):
        with self._lock:
            self._names += 1
            return self.world.new_name(self.number, self._names)

    @staticmethod
    def _leave(s, r):
        if r.random() < 0.5:
            reset_on_close(s)
        s.close()

    # ---- CONNECT ----

    def _host(self, r):
        """A name of its own mostly."""
        return self._new_name() if r.random() < 0.5 else f"{r.choice(list(TUNNELS))}.{DOMAIN}"

    def _connected(self, op, s, host):
        """The 200 was read; or the refusal."""
        op.asks(host)
        s.sendall(connect_request(f"{host}:{TUNNELS.get(host.split('.', 1)[0], 443)}"))
        head = take_head(s)
        if head.startswith(b"HTTP/1.1 200 "):
            return True
        op.answered(Reply(s, head).reason)
        return False

    def tunnel(self, op, r):
        host = self._host(r)
        with self._dial(op) as s:
            if r.random() < 0.1:
                op.asks(host)
                s.sendall(connect_request(f"{host}:{TUNNELS.get(host.split('.', 1)[0], 443)}"))
                return self._leave(s, r)
            if not self._connected(op, s, host):
                return
            if r.random() < 0.2:
                op.answered()
                return self._leave(s, r)
            if TUNNELS.get(host.split(".", 1)[0], 443) == 443:
                self._inside(op, s, host, r, new=False)
            else:
                op.answered()
                self._work(op, s, r)

    def half_head(self, op, r):
        with self._dial(op) as s:
            op.attempts += 1
            s.sendall(connect_request(f"tls.{DOMAIN}:443")[:r.randrange(1, 20)])
            self._leave(s, r)

    def denied(self, op, r):
        with self._dial(op) as s:
            self._connected(op, s, f"door{r.randrange(50)}.evil.test")

    def unresolved(self, op, r):
        host = r.choice([f"gone.{DOMAIN}", f"inward.{DOMAIN}", f"mute.{DOMAIN}"])
        with self._dial(op) as s:
            if r.random() < 0.3:
                op.asks(host)
                s.sendall(connect_request(f"{host}:443"))
                return self._leave(s, r)
            self._connected(op, s, host)

    def unreached(self, op, r):
        host = f"{r.choice(['refuse', 'hole'])}.{DOMAIN}"
        with self._dial(op) as s:
            if r.random() < 0.3:
                op.asks(host)
                s.sendall(connect_request(f"{host}:443"))
                return self._leave(s, r)
            self._connected(op, s, host)

    # ---- TLS ----

    def by_name(self, op, r):
        host = f"door{r.randrange(50)}.evil.test" if r.random() < 0.2 else self._new_name() if r.random() < 0.5 else f"tls.{DOMAIN}"
        with self._dial(op, self.sni_port) as s:
            if r.random() < 0.1:
                op.attempts += 1
                return self._leave(s, r)
            self._inside(op, s, host, r, new=True)

    def _inside(self, op, s, host, r, new):
        """`new`: the hello is the request itself, not what is inside of one."""
        said = r.choices(["hello", "half", "other", "none", "not TLS"], [12, 1, 1, 1, 1])[0]
        if not new:
            op.answered()
        names = {"other": "tls.elsewhere.test", "none": None}
        record = b"GET / HTTP/1.1\r\n\r\n" if said == "not TLS" else hello(names.get(said, host), r)
        if new:
            op.attempts += 1
            if said in ("hello", "other"):
                op.asked.append(host if said == "hello" else "tls.elsewhere.test")
        op.misnamed = said != "hello"
        if said == "half":
            s.sendall(record[:r.randrange(6, len(record) - 1)])
            return self._leave(s, r)
        op.tags.append(record[RANDOM_AT])
        s.sendall(record)
        op.sends(record)
        if r.random() < 0.1:
            return self._leave(s, r)
        first = read_exactly(s, 7)
        if tls.alert_of(first) is not None:
            return None
        if new:
            op.answered()
        first += read_exactly(s, len(SERVER_HELLO) - len(first))
        op.got += len(first)
        if host.startswith("retry."):
            op.misnamed = True
            s.sendall(hello("tls.elsewhere.test", r))
            return read_to_end(s)
        return self._work(op, s, r)

    # ---- inside ----

    def _work(self, op, s, r, orderly=False):
        upload, download = (r.choice([1, 1_000, r.randrange(1, 150_000)]) for _ in range(2))
        ending = r.choice(["wait", "wait", "close"] if orderly else ["wait", "wait", "close", "reset"])
        leaves = None if orderly else r.choice([None, None, None, "upload", "download", "after"])
        text = f"{op.tag} {upload} {download} {ending}\n".encode() + bytes(upload)
        if leaves == "upload":
            text = text[:r.randrange(40, 41 + len(text))]
        op.sends(text)
        s.sendall(text)
        if leaves == "upload":
            return self._leave(s, r)
        got = len(read_exactly(s, download // 2 if leaves == "download" else download))
        op.got += got
        if leaves == "download":
            return self._leave(s, r)
        op.exact = got == download
        if leaves == "after":
            return self._leave(s, r)
        s.shutdown(1)
        return read_to_end(s)

    # ---- plain HTTP ----

    def plain(self, op, r):
        hosts = [f"{p}.{DOMAIN}" for p in PLAIN] * 4 + [f"door{r.randrange(50)}.evil.test", f"gone.{DOMAIN}", f"refuse.{DOMAIN}"]
        with self._dial(op) as s:
            for n in range(r.randrange(1, 6)):
                if r.random() < 0.1:
                    return self._exchange(op, s, r, r.choice(hosts), n, "ok", r.choice(["head", "body", "unread"]))
                if not self._exchange(op, s, r, r.choice(hosts), n, r.choices(["ok", "close", "early", "cut"], [8, 1, 1, 1])[0]):
                    return None
            op.exact = all(reason is None for _, reason in op.answers)
        return None

    def _exchange(self, op, s, r, host, n, how, leaves=None):
        """Whether the connection may be used again."""
        body = bytes(r.choice([0, 10, r.randrange(60_000)]))
        request = http_request("POST", f"http://{host}/{op.tag}/{n}/{r.choice([0, 5, r.randrange(60_000)])}/{how}", [f"Content-Length: {len(body)}"], body)
        op.attempts += 1
        if leaves == "head":
            s.sendall(request[:20])
            return self._leave(s, r)
        op.asked.append(host)
        op.pushed += len(request)
        s.sendall(request[:-len(body) // 2] if leaves == "body" else request)
        if leaves:
            return self._leave(s, r)
        answer = Reply(s)
        op.answered(answer.reason)
        return how == "ok" and answer.status == 200 and answer.field("connection") != "close"

    # ---- the quiet client ----

    def orderly(self, op, r):
        host = f"{r.choice(['tls', 'raw'])}.{DOMAIN}"
        with self._dial(op) as s:
            if not self._connected(op, s, host):
                return
            op.answered()
            if host.startswith("tls."):
                self._greet(op, s, host, r)
            self._work(op, s, r, orderly=True)

    def orderly_by_name(self, op, r):
        with self._dial(op, self.sni_port) as s:
            op.asks(f"tls.{DOMAIN}")
            self._greet(op, s, op.asked[0], r)
            op.answered()
            self._work(op, s, r, orderly=True)

    @staticmethod
    def _greet(op, s, host, r):
        record = hello(host, r)
        op.tags.append(record[RANDOM_AT])
        s.sendall(record)
        op.sends(record)
        answer = read_exactly(s, len(SERVER_HELLO))
        op.got += len(answer)
        if answer != SERVER_HELLO:
            raise ConnectionError(f"instead of the origin's hello: {answer!r}")

    def orderly_plain(self, op, r):
        with self._dial(op) as s:
            for n in range(r.randrange(1, 6)):
                if not self._exchange(op, s, r, f"{r.choice(PLAIN)}.{DOMAIN}", n, "ok"):
                    return
            op.exact = True
