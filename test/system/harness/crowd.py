"""Thousands of clients at once, in processes of their own: one process may not hold so many descriptors. Each connection sends its text,
perhaps drips more, and reads what comes until the end."""
import collections
import json
import os
import re
import resource
import selectors
import socket
import subprocess
import sys
import time

PROCESSES = 3


def room_for(wanted):
    """How many of these connections exeat can hold here: two descriptors each, and what is set aside (limits.hpp, ops/descriptors)."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    reserve, workers, of_worker, spare = 128, 2, 16 + 40 + 4, 2 * 256
    return min(wanted, (hard - reserve - workers * of_worker - spare) // 2 - 50)


class Crowd:
    """`text` may hold {n}, the number of the client. `drip`: a byte that each sends every second until it has its reply."""

    def __init__(self, exeat, n, text, drip="", source="127.0.1.1"):
        share = [n * i // PROCESSES for i in range(PROCESSES + 1)]
        orders = [{"port": exeat.proxy_port, "source": source, "from": a, "to": b, "text": text, "drip": drip} for a, b in zip(share, share[1:])]
        self._processes = [subprocess.Popen([sys.executable, os.path.abspath(__file__), json.dumps(order)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                           for order in orders]
        for each in self._processes:
            assert each.stdout.readline() == "connected\n"

    def leave(self):
        """All that are still there close."""
        for each in self._processes:
            each.stdin.close()
        return self.replies()

    def replies(self):
        """Waits until exeat, or leave(), has ended each connection: how often each status and reason was said; "" is a close without a word."""
        total = collections.Counter()
        for each in self._processes:
            total.update(json.loads(each.stdout.readline()))
            each.stdin.close()
            each.stdout.close()
            assert each.wait() == 0
        return total

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self._processes:
            if each.poll() is None:
                each.kill()
                each.wait()


def _opened(order, n):
    s = socket.create_connection(("127.0.0.1", order["port"]), source_address=(order["source"], 0))
    s.sendall(order["text"].replace("{n}", str(n)).encode())
    s.setblocking(False)
    return s


def _word(received):
    status = re.match(rb"HTTP/1\.1 (\d+)", received)
    reason = re.search(rb"\r\nX-Exeat-Reason: (\S+)", received)
    return " ".join(part[1].decode() for part in (status, reason) if part)


def _drip(waiting, byte):
    for s, seen in waiting.items():
        if not seen:
            try:
                s.send(byte)
            except OSError:
                pass  # it has ended: the next look at it tells


def _look(s, waiting):
    """What has come; False at the end."""
    try:
        got = s.recv(65536)
    except ConnectionError:
        return False
    waiting[s] += got
    return bool(got)


def _main(order):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    waiting = {_opened(order, n): b"" for n in range(order["from"], order["to"])}
    print("connected", flush=True)
    said, look, drip_at = collections.Counter(), selectors.DefaultSelector(), time.monotonic()
    for s in (sys.stdin, *waiting):
        look.register(s, selectors.EVENT_READ)
    while waiting:
        if order["drip"] and time.monotonic() >= drip_at:
            _drip(waiting, order["drip"].encode())
            drip_at = time.monotonic() + 1
        for key, _ in look.select(0.2):
            s = key.fileobj
            if s is sys.stdin:
                said.update(map(_word, waiting.values()))
                waiting.clear()
                break
            if s in waiting and not _look(s, waiting):
                said[_word(waiting.pop(s))] += 1
                look.unregister(s)
                s.close()
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
