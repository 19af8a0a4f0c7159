"""What systemd does for a service, done by the tests: it holds the listening sockets, and it hears what the service notifies."""
import os
import socket

from .wait import wait_until

FIRST = 3  # SD_LISTEN_FDS_START


def listening(address, port, *, reuse_port=False, v6_only=True, listens=True, transparent=False, kind=socket.SOCK_STREAM):
    """As a .socket unit opens one: before the service is there, and kept when it is gone."""
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ":" in address:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(v6_only))
    if reuse_port:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if transparent:
        s.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
    s.bind((address, port))
    if listens:
        s.listen(4096)
    return s


class Sockets:
    """Named sockets, for as many processes one after the other, or beside each other, as there are."""

    def __init__(self, *named, environment=None):
        self.named = list(named)
        self.environment = environment or {}

    def passed(self):
        """Options of Popen that pass them."""
        descriptors = [s.fileno() for _, s in self.named]
        variables = {"LISTEN_FDS": str(len(descriptors)), "LISTEN_FDNAMES": ":".join(name for name, _ in self.named), **self.environment}

        def in_the_child():
            copies = [os.dup(fd) for fd in descriptors]  # so that no target is a source still needed
            high = [os.dup2(fd, 200 + n, inheritable=False) for n, fd in enumerate(copies)]
            for n, fd in enumerate(high):
                os.dup2(fd, FIRST + n)
            os.environ["LISTEN_PID"] = str(os.getpid())
            os.environ.update(variables)

        return {"preexec_fn": in_the_child, "close_fds": False, "env": None}

    def close(self):
        for _, s in self.named:
            s.close()


class Notified:
    """$NOTIFY_SOCKET: what came, in order. An address that begins with @ is abstract."""

    def __init__(self, address):
        self.address = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address.replace("@", "\0", 1) if self.address[0] == "@" else self.address)
        self._socket.setblocking(False)
        self._heard = []

    def before(self, **more):
        """A command that starts exeat with the variables."""
        return ["env", f"NOTIFY_SOCKET={self.address}", *(f"{name}={value}" for name, value in more.items())]

    def heard(self):
        """Each datagram as a dictionary."""
        while True:
            try:
                text = self._socket.recv(65536).decode()
            except BlockingIOError:
                return self._heard
            self._heard.append(dict(line.split("=", 1) for line in text.split("\n")))

    def wait(self, name, value=None, since=0, within=30):
        """The first datagram from number `since` on that assigns so."""
        return wait_until(lambda: next((d for d in self.heard()[since:] if name in d and value in (None, d[name])), None), within, f"{name}={value} is notified")

    def close(self):
        self._socket.close()
