"""The servers behind the relays, on the world's loopback: one that is scripted, nginx and HAProxy. Their paths are those of conversations.py."""
import subprocess

from harness.http_origin import reply
from harness.wait import wait_until

NGINX = """
daemon off; master_process off; worker_processes 1; pid {at}/nginx.pid; error_log {at}/nginx.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_max_body_size 0; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
  fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello\\n"; }} location /early {{ return 404; }} location /close {{ keepalive_timeout 0; return 204; }} }}
}}
"""
HAPROXY = """
global
  maxconn 500
defaults
  mode http
  timeout client 20s
  timeout server 20s
  timeout connect 5s
frontend all
  bind 127.0.0.1:{port}
  http-request return status 404 content-type text/plain string "no" if {{ path_beg /early }}
  http-request return status 200 content-type text/plain string "yes"
"""


class Server:
    def __init__(self, lab, directory, port, text, name, *argv):
        directory.mkdir(parents=True, exist_ok=True)
        config = directory / f"{name}.conf"
        config.write_text(text.format(at=directory, port=port))
        self.address = ("127.0.0.1", port)
        self._process = lab.topology.world.start(*argv, str(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self._listens(lab), 20, f"{name} listens")

    def _listens(self, lab):
        assert self._process.poll() is None
        try:
            lab.topology.world.connect(*self.address, 1).close()
            return True
        except OSError:
            return False

    def close(self):
        self._process.terminate()
        self._process.wait(10)


def nginx(lab, directory):
    return Server(lab, directory, 8101, NGINX, "nginx", "nginx", "-p", str(directory), "-c")


def haproxy(lab, directory):
    return Server(lab, directory, 8102, HAPROXY, "haproxy", "haproxy", "-db", "-f")


def _converse(peer):
    """As a careless server: it answers as soon as it has the head, and reads the body behind it."""
    held = b""
    while True:
        while b"\r\n\r\n" not in (held := held.lstrip(b"\r\n")):
            if not (got := peer.recv(65536)):
                return
            held += got
        head, _, held = held.partition(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].rsplit(b"/", 1)[0]
        bodyless = head.startswith(b"HEAD ")
        answers = {b"/early": reply(b"no\n", "404 Not Found"), b"/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
                   b"/interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply(b"at last\n"),
                   b"/more": reply(b"one\n") + b"HTTP/1.1 100 Continue\r\n\r\n", b"/close": b"HTTP/1.1 200 OK\r\n\r\nto the end",
                   b"/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"}
        answer = answers.get(path, reply())
        if bodyless:
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
        if path == b"/cut" and not bodyless:
            peer.send(answer)
            return
        peer.send(answer)
        if path == b"/close" and not bodyless:
            return
        held = _behind_body(peer, head, held)
        if held is None:
            return


def _behind_body(peer, head, held):
    fields = {n.lower(): v.strip() for n, _, v in (f.partition(b":") for f in head.split(b"\r\n")[1:])}
    if fields.get(b"transfer-encoding") == b"chunked":
        while True:
            while b"\r\n" not in held:
                if not (got := peer.recv(65536)):
                    return None
                held += got
            line, _, held = held.partition(b"\r\n")
            size = int(line, 16) + 2
            held = _skip(peer, held, size)
            if size == 2 or held is None:
                return held
    return _skip(peer, held, int(fields.get(b"content-length", 0)))


def _skip(peer, held, size):
    while len(held) < size:
        size -= len(held)
        if not (held := peer.recv(65536)):
            return None
    return held[size:]


def scripted(lab):
    origin = lab.origin("127.0.0.1", 8103, _converse)
    origin.address = ("127.0.0.1", 8103)
    return origin
