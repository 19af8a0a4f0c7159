#!/usr/bin/env python3
"""Two clients in a process of their own, for as long as they are told to: one floods exeat with refusals and with requests, the other one tries to have its
findings laid at another client's door. "on" and "off" come on stdin, a line each; each "off" is answered by how often each reply came, as JSON."""
import collections
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time

FLOODING, FRAMING = "127.0.66.1", "127.0.66.2"
VICTIM = "127.0.0.1"  # where the soak's other clients are
BORROWED = [f"X-Forwarded-For: {VICTIM}", f"Forwarded: for={VICTIM}", f"X-Real-IP: {VICTIM}", f"Via: 1.1 {VICTIM}"]


class Attackers:
    """The soak's side: starts the process and says when."""

    def __init__(self, exeat):
        self._process = subprocess.Popen(["nice", "-n", "19", sys.executable, os.path.abspath(__file__), str(exeat.proxy_port)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        self.replies = collections.Counter()
        self.at_it = False

    def _say(self, word):
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def begin(self):
        self.at_it = True
        self._say("on")

    def pause(self):
        """Returns when nothing of theirs is under way."""
        if not self.at_it:
            return
        self._say("off")
        self.replies.update(json.loads(self._process.stdout.readline()))
        self.at_it = False

    def stop(self):
        self.pause()
        self._process.stdin.close()
        self._process.wait()

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


# ---- the process ----

class Client:
    def __init__(self, port):
        self.port, self.replies, self.lock = port, collections.Counter(), threading.Lock()

    def connect(self, source):
        return socket.create_connection(("127.0.0.1", self.port), source_address=(source, 0), timeout=30)

    def note(self, who, reply):
        with self.lock:
            self.replies[f"{who} {reply.reason or reply.status}"] += 1

    # ---- one turn of each kind of attack ----

    def flood_with_refusals(self):
        with self.connect(FLOODING) as s:
            self.note("refusals", ask(s, connect_request(f"n{time.monotonic_ns()}.evil.test:443"), "CONNECT"))

    def flood_with_requests(self):
        """As many on one connection as it takes."""
        with self.connect(FLOODING) as s:
            for _ in range(200):
                reply = ask(s, b"GET http://flooded.soak.test/ HTTP/1.1\r\nHost: flooded.soak.test\r\n\r\n")
                self.note("requests", reply)
                if reply.status != 200:
                    return

    def another_name_inside(self):
        with self.connect(FRAMING) as s:
            reply = ask(s, connect_request("web.soak.test:443", BORROWED), "CONNECT")
            self.note("name", reply)
            if reply.status == 200:
                tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
                tls.wrap_socket(s, server_hostname="evil.soak.test").close()

    def refusals_in_anothers_name(self):
        with self.connect(FRAMING) as s:
            self.note("borrowed", ask(s, connect_request("frame.evil.test:443", BORROWED), "CONNECT"))

    kinds = [flood_with_refusals, flood_with_requests, another_name_inside, refusals_in_anothers_name]


def work(client, turn, on, idle):
    while True:
        on.wait()
        idle.clear()
        while on.is_set():
            try:
                turn(client)
            except (OSError, AssertionError, ValueError):  # shown out, or a restart
                time.sleep(0.01)
        idle.set()


def main():
    client, on = Client(int(sys.argv[1])), threading.Event()
    idle = [threading.Event() for _ in Client.kinds]
    for turn, mine in zip(Client.kinds, idle):
        threading.Thread(target=work, args=(client, turn, on, mine), daemon=True).start()
    for line in sys.stdin:
        if line.strip() == "on":
            for each in idle:
                each.clear()
            on.set()
            continue
        on.clear()
        for each in idle:
            each.wait()
        with client.lock:
            print(json.dumps(client.replies), flush=True)
            client.replies.clear()


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "system"))
    from harness.client import ask, connect_request
    main()
