"""What the clients do, each over and over: orderly work in every mode, and every trouble. An operation is whole or has not been."""
import random
import socket
import threading
import time

from harness.client import Reply, ask, connect_request, http_request, read_exactly, reset_on_close, take_head
from harness.http_origin import reply
from harness.origin import Origin, echo
from harness.wait import seconds

ENTRIES = {"echo": "tcp", "plain": "http", "web": "tls", "resets": "tcp", "vanishes": "tcp", "sometimes": "tcp", "flooded": "http"}
ON_THE_WIRE = {"echo"}  # what the client sends is what the origin gets, octet by octet
# What attackers send to "flooded" is in nobody's books but exeat's: it is cut where it happens to be.
ORDERLY, CUT_SHORT = ["echo", "plain", "web"], ["resets", "vanishes", "sometimes"]
ANYWHERE = "192.0.2.1"  # what a redirected client dials counts for nothing
BODY = bytes(range(256)) * 80
# Whoever is refused often is not who works well beside it: a detector that cuts must not take one for the other.
REFUSED_OFTEN = {"is_denied": "127.0.67.1", "no_address": "127.0.67.2", "comes_and_goes": "127.0.67.3", "says_nothing": "127.0.67.4"}
HELD_BACK = ("anomaly", "rate")  # what a client may be told that is refused often


def allowlist(serial, sometimes=True):
    ports = {"echo": 7, "resets": 11, "vanishes": 12, "sometimes": 13}
    listed = [e for e in ENTRIES if sometimes or e != "sometimes"]
    entries = [f'[[allow]]\nname = "{e}"\nhosts = ["{e}.soak.test"]\nprotocol = "{ENTRIES[e]}"\n' + (f"ports = [{ports[e]}]\n" if e in ports else "") for e in listed]
    entries.append('[[allow]]\nname = "nowhere"\nhosts = ["servfail.soak.test", "garbage.soak.test", "gone.soak.test"]\n')
    return f'serial = {serial}\n[defaults]\nupload = "100 GiB/1h"\n[groups.lab]\nsources = ["127.0.0.0/8", "10.42.0.0/16"]\n' + "\n".join(entries)


def resets(peer):
    got = peer.recv()
    peer.send(got[:100])
    peer.recv()
    peer.reset()


def build_origins(lab):
    """Entry -> its origin."""
    host, _ = lab.place(*[f"{e}.soak.test" for e in ENTRIES if e != "flooded"], v6=False)
    for trouble in ("servfail", "garbage"):
        lab.dns.set(f"{trouble}.soak.test", behave=trouble)
    raw = lambda port, serve=echo: lab.origin(host, port, serve)
    flooded, _ = lab.place("flooded.soak.test", v6=False)
    return {"flooded": lab.http_origin(flooded, routes={"*": reply(BODY)}), "echo": raw(7), "resets": raw(11, resets), "vanishes": raw(12), "sometimes": raw(13),
            "plain": lab.http_origin(host, routes={"*": reply(BODY)}), "web": lab.tls_origin("web.soak.test", host=host, routes={"*": reply(BODY)})}


class Traffic:
    def __init__(self, lab, exeat, ports, seen, attack=lambda: False):
        self.attack = attack  # whether there is one now
        self.lab, self.exeat, self.ports, self.seen = lab, exeat, ports, seen
        self._restarts, self._restarting = 0, False
        self._may_run, self._over = True, threading.Event()
        self._busy, self._threads = 0, []
        self._changed = threading.Condition()

    # ---- life ----

    def start(self):
        well = [self.echoes] * 3 + [self.posts, self.fetches, self.by_name, self.redirected_tls, self.redirected_http]
        self._timed = {work.__name__ for work in well}
        for work in [*well, self.upstream_resets, self.client_vanishes, self.is_denied, self.no_address, self.comes_and_goes, self.says_nothing]:
            self._threads.append(threading.Thread(target=self._over_and_over, args=(work,), daemon=True))
            self._threads[-1].start()

    def _over_and_over(self, work):
        chance = random.Random(len(self._threads))
        while not self._over.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._may_run)
                self._busy += 1
                begun, restarting = self._restarts, self._restarting
            try:
                under_attack, began = self.attack(), time.monotonic()
                self.seen.count(work.__name__, work(chance) or "well")
                if work.__name__ in self._timed and under_attack == self.attack():
                    self.seen.took(work.__name__, under_attack, time.monotonic() - began)
            except Exception as e:  # any end that was not meant
                if restarting or self._restarts != begun:
                    self.seen.count(work.__name__, "met a restart")
                    self._over.wait(0.1)
                else:
                    self.seen.breaks(work.__name__, e)
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()
            self._over.wait(chance.uniform(0, 0.02))

    def pause(self):
        """Returns when each has finished what it was at."""
        with self._changed:
            self._may_run = False
            assert self._changed.wait_for(lambda: self._busy == 0, seconds(60)), "an operation hangs"

    def resume(self):
        with self._changed:
            self._may_run = True
            self._changed.notify_all()

    def restart_begins(self):
        """What is begun from now on until it is over, or was begun before and not yet ended, may fail."""
        with self._changed:
            self._restarts, self._restarting = self._restarts + 1, True

    def restart_is_over(self):
        with self._changed:
            self._restarting = False

    def stop(self):
        self._over.set()
        self.resume()
        for each in self._threads:
            each.join(seconds(60))

    # ---- orderly ----

    def _tunnel(self, entry, port):
        s = self.exeat.connect(timeout=60)
        try:
            s.sendall(connect_request(f"{entry}.soak.test:{port}"))
            head = take_head(s)
            assert head.startswith(b"HTTP/1.1 200 "), Reply(s, head).reason
            return s
        except BaseException:
            s.close()
            raise

    def _echo(self, s, entry, chance):
        sent = 0
        for _ in range(chance.randint(1, 5)):
            data = chance.randbytes(chance.choice([1, 700, 16_384, 60_000]))
            s.sendall(data)
            assert read_exactly(s, len(data)) == data, "what comes back is what was sent"
            sent += len(data)
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1) == b""
        self.seen.note(entry, sent, sent)

    def echoes(self, chance):
        with self._tunnel("echo", 7) as s:
            self._echo(s, "echo", chance)

    def comes_and_goes(self, chance):
        """Its entry is there in every second list: refused, or cut by a list that has it no more, or well."""
        with self.exeat.connect(timeout=60, source=REFUSED_OFTEN["comes_and_goes"]) as s:
            answer = ask(s, connect_request("sometimes.soak.test:13"), "CONNECT")
            if answer.status != 200:
                assert answer.reason in ("not_allowed", "policy_revoked", *HELD_BACK), answer.reason
                return answer.reason
            down = 0
            try:
                s.sendall(bytes(500))
                down = len(read_exactly(s, 500))
            except ConnectionError:
                pass  # the list has changed
            self.seen.note("sometimes", 500, down)
            return "well" if down == 500 else "cut"

    def posts(self, chance):
        with self.exeat.connect(timeout=60) as s:
            for _ in range(chance.randint(1, 4)):
                body = bytes(chance.randrange(20_000))
                answer = ask(s, http_request("POST", "http://plain.soak.test/", [f"Content-Length: {len(body)}"], body))
                assert answer.status == 200 and answer.body == BODY, answer.reason

    def fetches(self, chance):
        with self._tunnel("web", 443) as s:
            self._tls(s)

    def by_name(self, chance):
        with self.exeat.connect(port=self.ports["sni"], timeout=60) as s:
            self._tls(s)

    def _redirected(self, port):
        s = self.lab.topology.pod.socket(socket.AF_INET)
        s.settimeout(seconds(60))
        s.connect((ANYWHERE, port))
        return s

    def redirected_tls(self, chance):
        with self._redirected(443) as s:
            self._tls(s)

    def redirected_http(self, chance):
        with self._redirected(80) as s:
            answer = ask(s, b"GET /models HTTP/1.1\r\nHost: plain.soak.test\r\nConnection: close\r\n\r\n")
            assert answer.status == 200 and answer.body == BODY, answer.reason

    def _tls(self, s):
        with self.lab.authority.client_context(("http/1.1",)).wrap_socket(s, server_hostname="web.soak.test") as t:
            answer = ask(t, b"GET / HTTP/1.1\r\nHost: web.soak.test\r\nConnection: close\r\n\r\n")
            assert answer.status == 200 and answer.body == BODY
            assert t.recv(1) == b""

    # ---- trouble ----

    def upstream_resets(self, chance):
        with self._tunnel("resets", 11) as s:
            sent = down = 0
            try:
                for size in (5_000, 1, 30_000, 30_000):
                    s.sendall(bytes(size))
                    sent += size
                    down += len(s.recv(65_536))
            except ConnectionError:
                sent += 30_000  # of the one that failed any part may have gone
            self.seen.note("resets", sent, down)

    def client_vanishes(self, chance):
        with self._tunnel("vanishes", 12) as s:
            data = bytes(chance.randint(1, 100_000))
            s.settimeout(seconds(60))
            s.sendall(data)
            down = len(s.recv(1000))
            reset_on_close(s)
            self.seen.note("vanishes", len(data), down)

    def is_denied(self, chance):
        with self.exeat.connect(timeout=60, source=REFUSED_OFTEN["is_denied"]) as s:
            answer = ask(s, connect_request(f"n{chance.randrange(1_000_000)}.evil.test:443"), "CONNECT")
            assert answer.status != 200 and answer.reason in ("not_allowed", *HELD_BACK), answer.reason
            return answer.reason

    def no_address(self, chance):
        name = chance.choice(["servfail", "garbage", "gone"])
        with self.exeat.connect(timeout=60, source=REFUSED_OFTEN["no_address"]) as s:
            answer = ask(s, connect_request(f"{name}.soak.test:443"), "CONNECT")
            assert answer.status != 200 and answer.reason.startswith(("dns", *HELD_BACK)), answer.reason
            return answer.reason

    def says_nothing(self, chance):
        """Holds a place until it is shown out, or goes by itself."""
        with self.exeat.connect(timeout=60, source=REFUSED_OFTEN["says_nothing"]) as s:
            s.sendall(b"CONN")
            if chance.random() < 0.5:
                assert b" 408 " in s.recv(4096)
