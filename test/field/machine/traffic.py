"""Runs on the machine's network: an echoing origin, and clients that never stop opening tunnels through exeat to it. Reads commands:
`hold` opens a tunnel that stays, `ping` says how many of those still answer, `drop` closes them, `end` says what became of all the others."""
import contextlib
import json
import socket
import sys
import threading
import time

PROXY, ORIGIN = ("127.0.0.1", 3128), ("127.0.0.1", 7777)
PATIENCE = 60


def echo():
    listening = socket.create_server(ORIGIN, backlog=1024)
    while True:
        s = listening.accept()[0]
        threading.Thread(target=answer, args=(s,), daemon=True).start()


def answer(s):
    with s, contextlib.suppress(OSError):
        while got := s.recv(4096):
            s.sendall(got)


def tunnel():
    s = socket.create_connection(PROXY, timeout=PATIENCE)
    s.sendall(b"CONNECT echo.machine.test:7777 HTTP/1.1\r\nHost: echo.machine.test:7777\r\n\r\n")
    head = b""
    while b"\r\n\r\n" not in head:
        got = s.recv(4096)
        assert got, f"closed after {head!r}"
        head += got
    assert head.startswith(b"HTTP/1.1 200 "), head
    return s


def answers(s):
    s.sendall(b"still there")
    got = s.recv(64)
    assert got == b"still there", got


class Load:
    def __init__(self, clients):
        self.stopped, self.done, self.failed, self.slowest = False, 0, [], 0.0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._go, daemon=True) for _ in range(clients)]
        for t in self._threads:
            t.start()

    def _go(self):
        while not self.stopped:
            began = time.monotonic()
            try:
                with tunnel() as s:
                    answers(s)
                why = None
            except (OSError, AssertionError) as e:
                why = repr(e)
            with self._lock:
                self.slowest = max(self.slowest, time.monotonic() - began)
                if why:
                    self.failed.append(why)
                else:
                    self.done += 1
            time.sleep(0.005)

    def end(self):
        self.stopped = True
        for t in self._threads:
            t.join(PATIENCE)
        return {"done": self.done, "failed": self.failed, "slowest": self.slowest}


def alive(held):
    count = 0
    for s in held:
        with contextlib.suppress(OSError, AssertionError):
            answers(s)
            count += 1
    return count


def main():
    threading.Thread(target=echo, daemon=True).start()
    load, held = None, []
    for line in sys.stdin:
        said = None
        if line == "load\n":
            load = Load(8)
        elif line == "hold\n":
            held.append(tunnel())
        elif line == "ping\n":
            said = alive(held)
        elif line == "drop\n":
            while held:
                held.pop().close()
        elif line == "end\n":
            said = load.end()
        print(json.dumps(said), flush=True)


main()
